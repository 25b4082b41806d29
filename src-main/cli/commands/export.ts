import { command } from '../command.ts';
import { exportOptions, exportRequest } from './exportOptions.ts';

export const exportCommand = command({
  name: 'export',
  summary: 'write the weights of a run for other tools',
  usage: '--run RUN --format FORMAT --out PATH [OPTIONS]',
  examples: [
    'likeness export --run runs/dog --format diffusers --out dog-model',
    'likeness export --run runs/dog --format kohya --out dog.safetensors',
  ],
  options: exportOptions,
  request: exportRequest,
  run: async (request, context) => {
    const { exportRun } = await import('../../features/export/export.ts');
    const result = await exportRun(request, context);
    const text = `${result.path}: step ${result.step}, ${result.tensors} tensors, read back and compared (off by ${result.maxError.toExponential(1)})`;
    return { fields: { ...result }, text };
  },
});
