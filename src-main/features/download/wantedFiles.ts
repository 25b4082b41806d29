import { problem } from '../../../src-shared/messages/index.ts';
import type { HubFile } from './hub.ts';

/** In the order of preference of `readWeightFolder`. A `.bin` is a pickle, which is only read as data. */
const weightNames = [
  ...['diffusion_pytorch_model.safetensors', 'model.safetensors'],
  ...['diffusion_pytorch_model.fp16.safetensors', 'model.fp16.safetensors'],
  ...['diffusion_pytorch_model.bin', 'pytorch_model.bin'],
];
const networks = ['unet', 'vae', 'text_encoder'];
const texts = [
  /^model_index\.json$/,
  /^(unet|vae|text_encoder(_2)?)\/config\.json$/,
  /^tokenizer(_2)?\/[\w.-]+\.(json|txt)$/,
  /^scheduler\/[\w.-]+\.json$/,
];

const loras = [
  ...['pytorch_lora_weights.safetensors', 'adapter_model.safetensors'],
  ...['pytorch_lora_weights.bin', 'adapter_model.bin'],
];
/** Beside the weights of a model of transformers, or of a U-Net alone, at the repository's top. */
const besides =
  /^(config|preprocessor_config|adapter_config|tokenizer|tokenizer_config|special_tokens_map|vocab)\.json$|^merges\.txt$/;

/**
 * The files of a repository that are used here, with each network's weights once: those of a diffusers model, or else of a LoRA, a
 * CLIP or a DINO at the top level. Errors: `download.noModel`.
 */
export function wantedFiles(repository: string, files: readonly HubFile[]): HubFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const first = (names: readonly string[]): HubFile | undefined =>
    names.map((name) => byPath.get(name)).find((file) => file !== undefined);
  if (!files.some(({ path }) => path.startsWith('unet/'))) {
    const top = files.filter(({ path }) => !path.includes('/'));
    const loose = top.filter(({ path }) => /\.safetensors$/i.test(path));
    const weights = first([...loras, ...weightNames]) ?? (loose.length === 1 ? loose[0] : undefined);
    if (!weights) throw problem('download.noModel', { repository, folder: 'unet' });
    return [...top.filter(({ path }) => besides.test(path)), weights];
  }
  // SDXL has a second text encoder.
  const second = files.some(({ path }) => path.startsWith('text_encoder_2/')) ? ['text_encoder_2'] : [];
  const weights = [...networks, ...second].map((folder) => {
    const found = first(weightNames.map((name) => `${folder}/${name}`));
    if (!found) throw problem('download.noModel', { repository, folder });
    return found;
  });
  return [...files.filter(({ path }) => texts.some((wanted) => wanted.test(path))), ...weights];
}
