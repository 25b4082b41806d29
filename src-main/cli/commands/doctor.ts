import { command } from '../command.ts';

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GB`;

export const doctor = command({
  name: 'doctor',
  summary: 'say what this machine has and what will run on it',
  usage: '[OPTIONS]',
  options: {},
  request: () => process.cwd(),
  run: async (folder) => {
    const { examineMachine } = await import('../../features/doctor/doctor.ts');
    const machine = await examineMachine(folder);
    const { cpu, memory, disk, providers } = machine;
    const lines = [
      `System    ${machine.platform}, Node ${machine.node}`,
      `CPU       ${cpu.model}, ${cpu.threads} threads, ${cpu.matmulGflops} GFLOP/s in matrix products`,
      `Memory    ${gigabytes(memory.available)} available of ${gigabytes(memory.total)}`,
      `Disk      ${gigabytes(disk.free)} free in ${disk.folder}`,
      ...Object.entries(providers).map(
        ([name, state]) => `Provider  ${name.padEnd(6)} ${state.works ? 'works' : `no: ${state.why}`}`,
      ),
    ];
    return { fields: { ...machine }, text: lines.join('\n') };
  },
});
