import type { AddedInputs } from '../models/unet.ts';
import type { HostTensor } from '../tensor/tensor.ts';

type Floats = HostTensor<'f32'>;

/** A prompt as a U-Net takes it: from the text encoders, and for SDXL also what is added to the time embedding. */
export interface PromptEmbeds {
  /** [b,t,d]. */
  readonly context: Floats;
  readonly added?: AddedInputs<Floats>;
}

/** [b,c,h,w] and [b,d,h,w] → [b,c+d,h,w]. */
export function joinChannels(a: Floats, b: Floats): Floats {
  const [batch = 1, ofA = 0, height = 0, width = 0] = a.shape;
  const ofB = b.shape[1] as number;
  const rows = Array.from({ length: batch }, (_, i) => [unstack(a, i).data, unstack(b, i).data]).flat();
  const data = new Float32Array(a.data.length + b.data.length);
  let at = 0;
  for (const row of rows) {
    data.set(row, at);
    at += row.length;
  }
  return { dtype: 'f32', shape: [batch, ofA + ofB, height, width], data };
}

/** Joins tensors along the first axis. */
export function stack(tensors: readonly Floats[]): Floats {
  const first = tensors[0] as Floats;
  const total = tensors.reduce((size, { data }) => size + data.length, 0);
  const data = new Float32Array(total);
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  const batch = tensors.reduce((size, { shape }) => size + (shape[0] as number), 0);
  return { dtype: 'f32', shape: [batch, ...first.shape.slice(1)], data };
}

/** The same for prompts. */
export function stackPrompts(parts: readonly PromptEmbeds[]): PromptEmbeds {
  const added = parts.flatMap((one) => one.added ?? []);
  return {
    context: stack(parts.map(({ context }) => context)),
    ...(added.length && {
      added: {
        text_embeds: stack(added.map(({ text_embeds }) => text_embeds)),
        time_ids: stack(added.map(({ time_ids }) => time_ids)),
      },
    }),
  };
}

/** Entry `index` of the first axis, as a view. */
export const unstack = (tensor: Floats, index: number): Floats => rowsOf(tensor, index, index + 1);

/** Entries [from, to) of the first axis, as a view. */
export function rowsOf({ shape, data }: Floats, from: number, to: number): Floats {
  const size = data.length / (shape[0] as number);
  return {
    dtype: 'f32',
    shape: [to - from, ...shape.slice(1)],
    data: data.subarray(from * size, to * size),
  };
}
