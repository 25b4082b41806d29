import { problem } from '../../../../src-shared/messages/index.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../checkpoints/weights.ts';
import { sizeInputs } from '../../models/config.ts';
import { sizesFor } from '../../pipelines/sizes.ts';
import { dims5, f32, type HostTensor, type FileTensor } from '../../tensor/tensor.ts';
import type { DiffusionBatch, NoiseBatch } from './batch.ts';
import { entryOf } from '../../../../src-shared/entryOf.ts';

/** Recorded batches: row k holds the batch of step k + 1. */
export interface Replay {
  readonly steps: number;
  readonly batch: number;
  readonly latents: readonly [number, number, number];
  /** The first half of each batch is the subject's, the second the class's. */
  readonly prior: boolean;
  readonly row: (index: number) => DiffusionBatch;
}

/** What the model can be fed. */
export interface ReplayLimits {
  readonly channels: number;
  /** Tokens of a prompt. */
  readonly tokens: number;
  readonly timesteps: number;
  /** Channels that it sees beside the latents. */
  readonly beside?: number;
  /** Size of the text encoder's vocabulary. */
  readonly words: number;
  /** Of SDXL, which takes sizes ("time_ids" [n,b,6]; those of the latents where the file has none). */
  readonly pixelsPerLatent?: number;
}

/** Opens the `--replay` file of a finetune. Errors: those of `readSafetensors`, `replay.invalid`. */
export function openReplay(
  file: string,
  { words, beside = 0, pixelsPerLatent, ...limits }: ReplayLimits,
): Replay {
  const { batch, prior, row: read, tensor, ...record } = openRecord(file, limits, 'input_ids', 'i64', []);
  const [, height, width] = record.latents;
  const sizes =
    pixelsPerLatent === undefined
      ? undefined
      : recordedSizes(file, { ...record, batch, tensor }, pixelsPerLatent);
  const besides = beside > 0 ? tensor('beside', [record.steps, batch, beside, height, width]) : undefined;
  const invalid = (why: string): Error => problem('replay.invalid', { file, why });
  if (prior && batch % 2) throw invalid('with a prior the batch must have two halves');
  const row = (index: number): DiffusionBatch => {
    const { prompt: inputIds, ...noise } = read(index);
    if (!within(inputIds.data, words)) throw invalid(`row ${index} has a token outside 0…${words - 1}`);
    return {
      ...{ ...noise, inputIds },
      ...(sizes && { timeIds: sizes(index) }),
      ...(besides && { beside: besides(index) }),
    };
  };
  // A fault is found before the networks are built, not at the step that would hit it.
  for (let index = 0; index < record.steps; index++) row(index);
  return { ...record, batch, prior, row };
}

/** SDXL's size inputs of each batch. Errors: `replay.invalid`. */
export function recordedSizes(
  file: string,
  {
    steps,
    batch,
    latents: [, height, width],
    tensor,
  }: Pick<Recording<'f32'>, 'steps' | 'batch' | 'latents' | 'tensor'>,
  pixelsPerLatent: number,
): (index: number) => HostTensor<'f32'> {
  if (readSafetensors(file).tensors.has('time_ids')) return tensor('time_ids', [steps, batch, sizeInputs]);
  const one = sizesFor({ width: width * pixelsPerLatent, height: height * pixelsPerLatent });
  const all = f32([batch, sizeInputs], Array.from({ length: batch }, () => [...one.data]).flat());
  return () => all;
}

/** The numbers [b] recorded as `name`, by batch; undefined if the file has none. Errors: `replay.invalid`. */
export function recordedNumbers(
  file: string,
  name: string,
): ((index: number) => HostTensor<'f32'>) | undefined {
  const entry = readSafetensors(file).tensors.get(name);
  if (!entry) return undefined;
  if (entry.dtype !== 'f32' || entry.shape.length !== 2)
    throw problem('replay.invalid', { file, why: `"${name}" must be f32 with 2 axes` });
  const { data, shape } = readF32(entry);
  const [, batch = 0] = shape;
  return (index) => ({
    dtype: 'f32',
    shape: [batch],
    data: data.slice(index * batch, (index + 1) * batch),
  });
}

/** Recorded batches, whatever their prompts are. */
export interface Recording<D extends 'f32' | 'i64'> extends Omit<Replay, 'row'> {
  /** Another tensor that the file must have, [n,b,…]: its rows. Errors: `replay.invalid`. */
  readonly tensor: (name: string, shape: readonly number[]) => (index: number) => HostTensor<'f32'>;
  readonly row: (index: number) => NoiseBatch & { readonly prompt: HostTensor<D> };
}

/** A file of recorded batches whose prompts are under `key`, [n,b,tokens,…more]. Errors: those of `readSafetensors`, `replay.invalid`. */
export function openRecord<D extends 'f32' | 'i64'>(
  file: string,
  { channels, tokens, timesteps }: Omit<ReplayLimits, 'words'>,
  key: string,
  dtype: D,
  more: readonly number[],
): Recording<D> {
  const { tensors, otherTypes, metadata } = readSafetensors(file);
  const invalid = (why: string): Error => problem('replay.invalid', { file, why });
  const entry = (name: string, type: 'f32' | 'i64', rank: number): FileTensor => {
    const found = tensors.get(name);
    const other = otherTypes.get(name);
    if (!found && other === undefined) throw invalid(`it has no tensor "${name}"`);
    if (found?.dtype !== type || found.shape.length !== rank)
      throw invalid(`"${name}" must be ${type} with ${rank} axes`);
    return found;
  };
  const latents = entry('latents', 'f32', 5);
  const [steps, batch, c, h, w] = dims5(latents.shape);
  const all = {
    latents: [latents, latents.shape],
    noise: [entry('noise', 'f32', 5), latents.shape],
    timesteps: [entry('timesteps', 'i64', 2), [steps, batch]],
    [key]: [entry(key, dtype, 3 + more.length), [steps, batch, tokens, ...more]],
  } as const;
  for (const [name, [{ shape }, expected]] of Object.entries(all))
    if (shape.join() !== expected.join())
      throw invalid(`"${name}" is [${shape.join()}], expected [${expected.join()}]`);
  if (steps * batch * h * w === 0) throw invalid('it holds no batch');
  if (c !== channels) throw invalid(`its latents have ${c} channels, the model's ${channels}`);

  const part = <T extends 'f32' | 'i64'>(name: string, index: number): HostTensor<T> => {
    const { dtype: type, shape, file: path, offset, byteLength } = entryOf(tensors, name);
    const size = byteLength / steps;
    return readTensor({
      dtype: type,
      shape: shape.slice(1),
      file: path,
      offset: offset + index * size,
      byteLength: size,
    }) as HostTensor<T>;
  };
  const row = (index: number): NoiseBatch & { readonly prompt: HostTensor<D> } => {
    const read = {
      latents: part<'f32'>('latents', index),
      noise: part<'f32'>('noise', index),
      timesteps: part<'i64'>('timesteps', index),
      prompt: part<D>(key, index),
    };
    if (!within(read.timesteps.data, timesteps))
      throw invalid(`row ${index} has a timestep outside 0…${timesteps - 1}`);
    if (![read.latents, read.noise].every(({ data }) => data.every(Number.isFinite)))
      throw invalid(`row ${index} has latents or noise that are no numbers`);
    return read;
  };
  const tensor: Recording<D>['tensor'] = (name, expected) => {
    const { shape } = entry(name, 'f32', expected.length);
    if (shape.join() !== expected.join())
      throw invalid(`"${name}" is [${shape.join()}], expected [${expected.join()}]`);
    return (index) => part<'f32'>(name, index);
  };
  return { steps, batch, latents: [c, h, w], prior: metadata['prior'] === 'true', row, tensor };
}

function within(data: BigInt64Array, count: number): boolean {
  return data.every((value) => value >= 0n && value < BigInt(count));
}
