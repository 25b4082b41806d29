import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { parseClipConfig, parseVitConfig, type ClipConfig } from '../models/parseVisionConfig.ts';
import type { VitConfig } from '../models/vit.ts';
import { isFile, isFolder, readJson } from './files.ts';
import { publishedTextName } from './names/published.ts';
import { publishedVitName, splitSwiGlu } from './names/visionTransformer.ts';
import { readPreprocessor, type Preprocessor } from './preprocessor.ts';
import { readWeightFolder, renamed } from './weightFiles.ts';
import { Weights } from './weights.ts';

/** A network for scoring, as transformers saves one: a folder with `config.json`, `preprocessor_config.json` and weights. */
export interface ScorerFolder<Config> {
  readonly folder: string;
  readonly config: Config;
  readonly preprocessor: Preprocessor;
  /** Under the published names, without a prefix. */
  readonly weights: Weights;
}

/**
 * Opens a folder of transformers' `CLIPModel`; its tokenizer lies in the same folder. Errors: `file.missing`, `scorer.notOne`,
 * `config.invalid`, `weights.*`.
 */
export function openClipFolder(folder: string): ScorerFolder<ClipConfig> {
  const file = configOf(folder);
  const config = parseClipConfig(readJson(file), file);
  return open(folder, config, (name) =>
    name.startsWith('vision_model.') && name.endsWith('position_ids') ? undefined : publishedTextName(name),
  );
}

/** Opens a folder of transformers' `ViTModel` (DINO) or `Dinov2Model`. Errors: as `openClipFolder`. */
export function openVitFolder(folder: string): ScorerFolder<VitConfig> {
  const file = configOf(folder);
  const config = parseVitConfig(readJson(file), file);
  return open(folder, config, (name) => publishedVitName(name, config.model_type));
}

function configOf(folder: string): string {
  const file = join(folder, 'config.json');
  if (!isFolder(folder)) throw problem('file.missing', { file: folder });
  if (!isFile(file))
    throw problem('scorer.notOne', {
      file: folder,
      wanted: 'a transformers folder (config.json is missing)',
    });
  return file;
}

function open<Config>(
  folder: string,
  config: Config,
  rename: (name: string) => string | undefined,
): ScorerFolder<Config> {
  const { tensors, otherTypes } = renamed(readWeightFolder(folder), rename);
  const preprocessor = readPreprocessor(folder);
  return { folder, config, preprocessor, weights: new Weights(folder, splitSwiGlu(tensors), otherTypes) };
}
