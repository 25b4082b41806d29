import { problem } from '../../../src-shared/messages/index.ts';
import type { ClipTextConfig } from '../models/config.ts';
import { parseClipTextConfig } from '../models/parseConfig.ts';
import { bytesPerElement, type FileTensor } from '../tensor/tensor.ts';
import { denseCopies } from './denseCopies.ts';
import type { Model } from './model.ts';
import { publishedTextName } from './names/published.ts';
import { renamer } from './names/renamer.ts';
import { inProjParts, openClipNames, partPrefixes } from './names/singleFile.ts';
import type { SavedConfigs } from './savedConfigs.ts';
import { inferClipConfig, inferOpenClipConfig } from './singleFileConfig.ts';
import { openPart, part, shapesOf, text } from './singleFileParts.ts';
import { renamed, type RawTensors } from './weightFiles.ts';

type TextEncoders = Pick<Model, 'textEncoder' | 'textEncoder2'>;

/**
 * The text encoders in a single file: version 1's CLIP, or version 2's OpenCLIP, which may have transformers' names; of SDXL's family
 * both, the latter with a projection. Errors: `model.missingPart`, `model.unclear`, `config.invalid`.
 */
export function openTextEncoders(
  file: string,
  raw: RawTensors,
  saved: SavedConfigs,
  { isVersion2, isXl }: { readonly isVersion2: boolean; readonly isXl: boolean },
): TextEncoders {
  if (isXl)
    return {
      textEncoder: openClip(file, part(raw, partPrefixes.xlClip), saved.textEncoder, false),
      textEncoder2: openOpenClip(file, part(raw, partPrefixes.xlOpenClip), saved.textEncoder2, true),
    };
  return {
    textEncoder: raw.tensors.has(`${partPrefixes.openClip}token_embedding.weight`)
      ? openOpenClip(file, part(raw, partPrefixes.openClip), saved.textEncoder, false)
      : openClip(file, part(raw, partPrefixes.clip), saved.textEncoder, isVersion2),
  };
}

function openClip(
  file: string,
  raw: RawTensors,
  saved: string | undefined,
  isVersion2: boolean,
): Model['textEncoder'] {
  const clip = renamed(raw, publishedTextName);
  if (!clip.tensors.has('text_model.embeddings.token_embedding.weight'))
    throw problem('model.missingPart', { file, part: 'text encoder' });
  const inferred = (): string => text(inferClipConfig(shapesOf(clip), file, isVersion2));
  return openPart(file, saved ?? inferred(), parseClipTextConfig, () => clip);
}

function openOpenClip(
  file: string,
  raw: RawTensors,
  saved: string | undefined,
  pooled: boolean,
): Model['textEncoder'] {
  if (!raw.tensors.has('token_embedding.weight'))
    throw problem('model.missingPart', { file, part: pooled ? 'second text encoder' : 'text encoder' });
  const inferred = (): string => text(inferOpenClipConfig(shapesOf(raw), file, { pooled }));
  return openPart(file, saved ?? inferred(), parseClipTextConfig, (config) => {
    const named = openClipTensors(raw, config);
    return pooled ? withProjection(raw, named) : named;
  });
}

/** OpenCLIP's tensors under transformers' names, with its joint projections taken apart. */
function openClipTensors(raw: RawTensors, { num_hidden_layers: layers }: ClipTextConfig): RawTensors {
  const named = renamed(raw, renamer(openClipNames(layers)));
  const tensors = new Map(named.tensors);
  for (let layer = 0; layer < layers; layer++)
    for (const kind of ['weight', 'bias']) {
      const joined = raw.tensors.get(`transformer.resblocks.${layer}.attn.in_proj_${kind}`);
      inProjParts.forEach((name, third) => {
        if (joined)
          tensors.set(`text_model.encoder.layers.${layer}.self_attn.${name}.${kind}`, thirdOf(joined, third));
      });
    }
  return { ...named, tensors };
}

/** q, k and v lie one after the other in the joint tensor: each is a third of its bytes. */
function thirdOf(entry: FileTensor, third: number): FileTensor {
  const rows = Math.floor((entry.shape[0] ?? 0) / 3);
  const shape = [rows, ...entry.shape.slice(1)];
  const byteLength = shape.reduce((product, size) => product * size, bytesPerElement[entry.dtype]);
  return { ...entry, shape, offset: entry.offset + third * byteLength, byteLength };
}

const projection = 'text_projection.weight';

/** OpenCLIP multiplies from the left, x·P, where a linear layer computes x·Wᵀ; ComfyUI may have saved W already. */
function withProjection(raw: RawTensors, named: RawTensors): RawTensors {
  const entry = raw.tensors.get('text_projection');
  const turned = raw.tensors.get(projection) ?? (entry && turnedCopy(entry));
  return turned ? { ...named, tensors: new Map([...named.tensors, [projection, turned]]) } : named;
}

/** Errors: `weights.unsupported` where there is no cache to copy it into. */
function turnedCopy({ dtype, shape, offset, file }: FileTensor): FileTensor {
  const [inputs = 0, outputs = 0] = shape;
  const view = { dtype, shape: [outputs, inputs], strides: [1, outputs], start: offset };
  const copy = denseCopies(file, new Map([[projection, view]]), 'projection').get(projection);
  const why = 'its text_projection lies on its side, and no copy of it could be kept in the cache folder';
  if (!copy) throw problem('weights.unsupported', { file, why });
  return copy;
}
