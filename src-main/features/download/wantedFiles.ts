import { problem } from '../../../src-shared/messages/index.ts';
import type { HubFile } from './hub.ts';

/** In the order they are read: see the engine's `readWeightFolder`. A `.bin` is a pickle, and only ever read as data. */
const weightNames = [
  ...['diffusion_pytorch_model.safetensors', 'model.safetensors'],
  ...['diffusion_pytorch_model.fp16.safetensors', 'model.fp16.safetensors'],
  ...['diffusion_pytorch_model.bin', 'pytorch_model.bin'],
];
const networks = ['unet', 'vae', 'text_encoder'];
const texts = [
  /^model_index\.json$/,
  /^(unet|vae|text_encoder)\/config\.json$/,
  /^tokenizer\/[\w.-]+\.(json|txt)$/,
  /^scheduler\/[\w.-]+\.json$/,
];

/** Of a repository's files those that make the model, each network's weights once. Errors: `download.noModel`. */
export function wantedFiles(repository: string, files: readonly HubFile[]): HubFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const weights = networks.map((folder) => {
    const found = weightNames
      .map((name) => byPath.get(`${folder}/${name}`))
      .find((file) => file !== undefined);
    if (!found) throw problem('download.noModel', { repository, folder });
    return found;
  });
  return [...files.filter(({ path }) => texts.some((wanted) => wanted.test(path))), ...weights];
}
