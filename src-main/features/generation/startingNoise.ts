import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { readF32 } from '../../engine/checkpoints/weights.ts';
import { unstack } from '../../engine/pipelines/batches.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { plural } from '../../../src-shared/plural.ts';

/** Starting noise for each picture, [1,c,h,w] each. */
export interface StartingNoise {
  readonly latents: readonly HostTensor<'f32'>[];
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly hash: string;
}

/**
 * Reads `latents` [n,c,h,w] from a safetensors file. `n` is the number of pictures, or that of each prompt: then every prompt
 * starts from the same noise. Errors: `latents.unusable`, those of `readSafetensors`.
 */
export function readStartingNoise(
  file: string,
  channels: number,
  pictures: number,
  eachPrompt: number,
): StartingNoise {
  const unusable = (why: string): Error => problem('latents.unusable', { file, why });
  const { tensors, otherTypes } = readSafetensors(file);
  const other = otherTypes.get('latents');
  if (other) throw unusable(`its latents are of type ${other.dtype}, not f32`);
  const entry = tensors.get('latents');
  if (!entry) throw unusable('it holds no tensor named "latents"');
  if (!['f32', 'f16', 'bf16'].includes(entry.dtype))
    throw unusable(`its latents are of type ${entry.dtype}, not f32`);
  const [count = 0, depth, height = 0, width = 0] = entry.shape;
  if (entry.shape.length !== 4 || depth !== channels || !height || !width)
    throw unusable(
      `its latents are ${entry.shape.join('×')} where the model wants n×${channels}×height×width`,
    );
  if (count !== pictures && count !== eachPrompt)
    throw unusable(
      `it holds noise for ${plural(count, 'picture', 'pictures')} and ${pictures} ${pictures === 1 ? 'is' : 'are'} to be made`,
    );
  const all = readF32(entry);
  if (!all.data.every(Number.isFinite)) throw unusable('it holds values that are no numbers');
  return {
    latents: Array.from({ length: pictures }, (_, i) => unstack(all, i % count)),
    shape: [channels, height, width],
    hash: sha256(all.data, 16),
  };
}
