import { LikenessError } from '../../../src-shared/messages/index.ts';
import { finetuneSettings, type FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { ProviderState } from '../../features/doctor.ts';
import { command } from '../command.ts';
import { model } from '../options.ts';
import { duration } from '../output.ts';
import { shippedModel } from '../../shipped.ts';
import { plural } from '../../../src-shared/plural.ts';

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GB`;

export const doctor = command({
  name: 'doctor',
  summary: 'tell what this machine has, what will run on it, and how long a finetune takes',
  usage: '[OPTIONS]',
  examples: ['likeness doctor', 'likeness doctor --model stable-diffusion-v1-5'],
  options: {
    model: model('PATH', 'the model whose finetune is timed', { fallback: 'the shipped model' }),
  },
  request: ({ model = shippedModel }) => ({ model, folder: process.cwd() }),
  run: async ({ model, folder }, context) => {
    const { examineMachine } = await import('../../features/doctor.ts');
    const machine = await examineMachine(folder);
    const finetune = await timeFinetune(model, context);
    const { cpu, memory, disk, providers } = machine;
    const lines = [
      `System    ${machine.platform}, Node ${machine.node}`,
      `CPU       ${cpu.model}, ${plural(cpu.threads, 'thread', 'threads')}, ${cpu.matmulGflops} GFLOP/s in matrix products`,
      `Memory    ${gigabytes(memory.available)} available of ${gigabytes(memory.total)}`,
      `Disk      ${gigabytes(disk.free)} free in ${disk.folder}`,
      ...machine.graphics.map(
        ({ name, driver, memory: bytes }) =>
          `Graphics  ${name}, driver ${driver}${bytes === undefined ? '' : `, ${gigabytes(bytes)}`}`,
      ),
      ...Object.entries(providers).map(([name, state]) => `Provider  ${name.padEnd(6)} ${stateText(state)}`),
      `Computes  ${machine.automatic} (what --provider auto takes here)`,
      `Finetune  ${describe(finetune)}`,
    ];
    return { fields: { ...machine, finetune }, text: lines.join('\n') };
  },
});

function stateText(state: ProviderState): string {
  if (!state.works) return `no: ${state.why}`;
  return state.timesCpuSpeed === undefined
    ? 'works'
    : `works, ${state.timesCpuSpeed} times as fast as the CPU`;
}

type FinetuneTime =
  | {
      readonly model: string;
      readonly method: FinetuneSettings['method'];
      readonly steps: number;
      readonly stepSeconds: number;
      /** For all steps; class pictures, made once, take extra time. */
      readonly seconds: number;
      readonly peakBytes: number;
    }
  | { readonly model: string; readonly why: string };

/** Measures the steps of a finetune with default settings on the CPU. A model that can't be trained is a finding, not an error. */
async function timeFinetune(model: string, context: JobContext): Promise<FinetuneTime> {
  const { openModel } = await import('../../engine/checkpoints/openModel.ts');
  const { ownSettings } = await import('../../features/training/ownSettings.ts');
  const { bench } = await import('../../features/bench/bench.ts');
  try {
    const [latents] = openModel(model).unet.config.sample_size;
    const { method, steps, batch } = completeSettings(finetuneSettings, ownSettings(model), {
      model,
      size: 8 * latents,
    });
    const request = {
      source: { model },
      part: method === 'full' ? method : 'lora',
      latents,
      batch: 2 * batch,
      repeat: 2,
      provider: 'cpu',
    } as const;
    const { best, peakBytes } = await bench(request, context);
    return { model, method, steps, stepSeconds: best, seconds: best * steps, peakBytes };
  } catch (error) {
    if (error instanceof LikenessError && error.code !== 'cancelled') return { model, why: error.message };
    throw error;
  }
}

function describe(finetune: FinetuneTime): string {
  if ('why' in finetune) return `no: ${finetune.why}`;
  const { model, method, steps, stepSeconds, seconds, peakBytes } = finetune;
  return `${duration(seconds)} for ${steps} ${method} steps of ${model} (${stepSeconds.toFixed(2)} s each, ${gigabytes(peakBytes)} at the peak), and once the class pictures`;
}
