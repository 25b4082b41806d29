import { exportFormats, type ExportRequest } from '../../features/export/request.ts';
import { choice, file, integer, required, type Given } from '../options.ts';
import { defined } from '../shared.ts';

export const exportOptions = {
  run: required(file('RUN', 'the folder of a run')),
  checkpoint: integer('STEP', 'which checkpoint', { min: 0, max: 1e9, fallback: 'the last' }),
  format: required(choice(exportFormats, 'what to write')),
  out: required(file('PATH', 'folder or file to write')),
  dtype: choice(['f32', 'f16'], 'element type', { fallback: "the base model's" }),
  transformers: choice(['4', '5'], "whose names PEFT's text encoder part has", { fallback: '4' }),
};

export function exportRequest({ transformers, ...given }: Given<typeof exportOptions>): ExportRequest {
  const { run, format, out, checkpoint, dtype } = given;
  return { run, format, out, transformers: transformers === '5' ? 5 : 4, ...defined({ checkpoint, dtype }) };
}
