import { plural } from './plural.ts';

export const exports = {
  title: 'Export',
  all: 'Exported weights',
  format: 'Format',
  formats: {
    peft: { name: 'PEFT', about: 'A LoRA folder for diffusers and PEFT in Python.' },
    kohya: {
      name: 'LoRA file (kohya)',
      about: 'One small file for ComfyUI, AUTOMATIC1111, InvokeAI, Draw Things.',
    },
    diffusers: { name: 'diffusers folder', about: 'A whole pipeline with the LoRA merged in.' },
    'single-file': {
      name: 'Single checkpoint',
      about: 'The whole model in one .safetensors file for user interfaces.',
    },
    onnx: { name: 'ONNX', about: 'A whole pipeline for Optimum and ONNX Runtime on any device.' },
  },
  precision: 'Precision',
  asModel: 'as the base model',
  f16: '16 bit',
  f32: '32 bit',
  start: 'Export',
  busy: 'Exporting…',
  download: 'Download',
  fits: (model: string) => (model === '' ? '' : `Fits ${model} and models that were finetuned from it.`),
  proven: 'Read back and verified',
  proof: (tensors: number, error: number) =>
    `${plural(tensors, 'tensor', 'tensors')} read back, largest difference ${error.toPrecision(2)}`,
};
