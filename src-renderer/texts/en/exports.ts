import { plural } from '../../../src-shared/plural.ts';

export const exports = {
  title: 'Export',
  all: 'Exported weights',
  format: 'Format',
  formats: {
    peft: { name: 'PEFT', about: 'A LoRA folder for diffusers and PEFT in Python.' },
    kohya: {
      name: 'LoRA file (kohya)',
      about: 'One small file, under the names that most other programs read. They need the same base model.',
    },
    diffusers: { name: 'diffusers folder', about: 'A whole pipeline with the LoRA merged in.' },
    'single-file': {
      name: 'Single checkpoint',
      about: 'The whole model in one .safetensors file.',
    },
    embedding: {
      name: 'Embedding',
      about: 'A small file for the embeddings folder of other programs, and for diffusers.',
    },
    onnx: { name: 'ONNX', about: 'A whole pipeline for Optimum and ONNX Runtime on any device.' },
    coreml: {
      name: 'Core ML',
      about:
        "Packages for Apple's Core ML Stable Diffusion library. A Mac compiles them first; the receipt has the command.",
    },
  },
  precision: 'Precision',
  asModel: 'as the base model',
  f16: '16 bit',
  f32: '32 bit',
  plain: 'Draw as clearly in other programs',
  plainHint: (scale: number) =>
    `Other programs draw with plain guidance, which shows this model's subjects less clearly. This trains the LoRA for a few more minutes, so that it needs only plain guidance ${scale}. The run stays as it is.`,
  start: 'Export',
  busy: 'Exporting…',
  download: 'Download',
  fits: (model: string) => (model === '' ? '' : `Fits ${model} and models that were finetuned from it.`),
  receipt: 'Receipt',
  noReceipt: 'This export has no receipt: an earlier version wrote it. Export again to get one.',
  opened: 'Opened here',
  openedBy: (by: string, compared: string) => `${by}. Compared: ${compared}.`,
  loaders: 'What other programs look for in it',
  found: (found: number, of: number) =>
    found === of ? `all ${plural(of, 'tensor', 'tensors')} found` : `${found} of ${of} tensors found`,
  comparison: 'The same prompt and seed: the base model, your run, and what was read back from the export',
  next: 'Still to do, on a Mac',
  guidance: 'Guidance',
  distilled: (scale: number) => `Made for plain guidance ${scale} (“CFG scale”).`,
  likeness: (run: number, before: number, after: number) => {
    const percent = (value: number): string => `${Math.round(value * 100)}%`;
    return `Likeness to your photos: ${percent(run)} as drawn here, ${percent(before)} with plain guidance before, ${percent(after)} now.`;
  },
  proven: 'Read back and verified',
  proof: (tensors: number, error: number) =>
    `${plural(tensors, 'tensor', 'tensors')} read back, largest difference ${error.toPrecision(2)}`,
};
