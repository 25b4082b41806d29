import { problem } from '../../../src-shared/messages/index.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { readTensor } from '../checkpoints/weights.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import type { DiffusionBatch } from './diffusionLoss.ts';

/** Recorded batches: row k holds the batch of step k + 1. */
export interface Replay {
  readonly steps: number;
  readonly batch: number;
  readonly latents: readonly [number, number, number];
  /** The first half of each batch is the subject's, the second the class's. */
  readonly prior: boolean;
  readonly row: (index: number) => DiffusionBatch;
}

/** What the model takes. */
export interface ReplayLimits {
  readonly channels: number;
  /** Tokens of a prompt. */
  readonly tokens: number;
  readonly timesteps: number;
  /** Size of the text encoder's vocabulary. */
  readonly words: number;
}

/** Opens a `--replay` file. Errors: those of `readSafetensors`, `replay.invalid`. */
export function openReplay(file: string, { channels, tokens, timesteps, words }: ReplayLimits): Replay {
  const { tensors, otherTypes, metadata } = readSafetensors(file);
  const invalid = (why: string): Error => problem('replay.invalid', { file, why });
  const entry = (name: string, dtype: 'f32' | 'i64', rank: number) => {
    const found = tensors.get(name);
    const other = otherTypes.get(name);
    if (!found && other === undefined) throw invalid(`it has no tensor "${name}"`);
    if (found?.dtype !== dtype || found.shape.length !== rank)
      throw invalid(`"${name}" must be ${dtype} with ${rank} axes`);
    return found;
  };
  const latents = entry('latents', 'f32', 5);
  const [steps, batch, c, h, w] = latents.shape as [number, number, number, number, number];
  const all = {
    latents,
    noise: entry('noise', 'f32', 5),
    timesteps: entry('timesteps', 'i64', 2),
    input_ids: entry('input_ids', 'i64', 3),
  };
  const expected = {
    latents: latents.shape,
    noise: latents.shape,
    timesteps: [steps, batch],
    input_ids: [steps, batch, tokens],
  };
  for (const key of Object.keys(all) as (keyof typeof all)[]) {
    if (all[key].shape.join() !== expected[key].join())
      throw invalid(`"${key}" is [${all[key].shape.join()}], expected [${expected[key].join()}]`);
  }
  if (steps * batch * h * w === 0) throw invalid('it holds no batch');
  if (c !== channels) throw invalid(`its latents have ${c} channels, the model's ${channels}`);
  const prior = metadata['prior'] === 'true';
  if (prior && batch % 2) throw invalid('with a prior the batch must have two halves');

  const part = <D extends 'f32' | 'i64'>(key: keyof typeof all, dtype: D, index: number): HostTensor<D> => {
    const { shape, file: path, offset, byteLength } = all[key];
    const size = byteLength / steps;
    return readTensor({
      dtype,
      shape: shape.slice(1),
      file: path,
      offset: offset + index * size,
      byteLength: size,
    }) as HostTensor<D>;
  };
  const row = (index: number): DiffusionBatch => {
    const read: DiffusionBatch = {
      latents: part('latents', 'f32', index),
      noise: part('noise', 'f32', index),
      timesteps: part('timesteps', 'i64', index),
      inputIds: part('input_ids', 'i64', index),
    };
    const within = (data: BigInt64Array, count: number): boolean =>
      data.every((value) => value >= 0n && value < BigInt(count));
    if (!within(read.timesteps.data, timesteps))
      throw invalid(`row ${index} has a timestep outside 0…${timesteps - 1}`);
    if (!within(read.inputIds.data, words)) throw invalid(`row ${index} has a token outside 0…${words - 1}`);
    if (![read.latents, read.noise].every(({ data }) => data.every(Number.isFinite)))
      throw invalid(`row ${index} has latents or noise that are no numbers`);
    return read;
  };
  // A fault is told before networks are built, not when its step comes.
  for (let index = 0; index < steps; index++) row(index);
  return { steps, batch, latents: [c, h, w], prior, row };
}
