import { command } from '../command.ts';
import { exportFormats, type ExportRequest } from '../../features/export/request.ts';
import { choice, file, integer, required, type Given } from '../options.ts';
import { defined } from '../shared.ts';

const options = {
  run: required(file('RUN', 'the folder of a run')),
  checkpoint: integer('STEP', 'which checkpoint', { min: 0, max: 1e9, fallback: 'the last' }),
  format: required(choice(exportFormats, 'what to write')),
  out: required(file('PATH', 'folder or file to write')),
  dtype: choice(['f32', 'f16'], 'element type', { fallback: "the base model's" }),
  transformers: choice(['4', '5'], "whose names PEFT's text encoder part has", { fallback: '5' }),
};

export const exportCommand = command({
  name: 'export',
  summary: 'write the weights of a run for other tools',
  usage: '--run RUN --format FORMAT --out PATH [OPTIONS]',
  examples: [
    'likeness export --run runs/dog --format diffusers --out dog-model',
    'likeness export --run runs/dog --format kohya --out dog.safetensors',
  ],
  options,
  request: exportRequest,
  run: async (request, context) => {
    const { exportRun } = await import('../../features/export/export.ts');
    const result = await exportRun(request, context);
    const text = `${result.path}: step ${result.step}, ${result.tensors} tensors, read back and compared (off by ${result.maxError.toExponential(1)})`;
    return { fields: { ...result }, text };
  },
});

function exportRequest({ transformers, ...given }: Given<typeof options>): ExportRequest {
  const { run, format, out, checkpoint, dtype } = given;
  return { run, format, out, transformers: transformers === '4' ? 4 : 5, ...defined({ checkpoint, dtype }) };
}
