import { add, gather, integers, mul, reshape, silu, slice, transpose, upsample } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv, groupNorm, linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { dims4 } from '../tensor/tensor.ts';

/** How the group norms of a network are set. */
export interface NormOptions {
  readonly groups: number;
  readonly epsilon: number;
}

export interface ResnetOptions extends NormOptions {
  /** Activated time embedding [b,e], where the network has one. */
  readonly time?: Value;
  /** The sum with the skip path is divided by this. */
  readonly scaleFactor?: number;
}

/** diffusers' `ResnetBlock2D`: x [b,i,h,w] → [b,channels,h,w]. */
export function resnet(
  scope: Scope,
  x: Value,
  channels: number,
  { groups, epsilon, time, scaleFactor = 1 }: ResnetOptions,
): Value {
  const activated = silu(groupNorm(scope.at('norm1'), x, groups, epsilon));
  let hidden = conv(scope.at('conv1'), activated, channels, { kernel: 3, padding: 1 });
  if (time)
    hidden = add(hidden, reshape(linear(scope.at('time_emb_proj'), time, channels), [-1, channels, 1, 1]));
  hidden = silu(groupNorm(scope.at('norm2'), hidden, groups, epsilon));
  hidden = conv(scope.at('conv2'), hidden, channels, { kernel: 3, padding: 1 });
  const skip = x.shape[1] === channels ? x : conv(scope.at('conv_shortcut'), x, channels, { kernel: 1 });
  const sum = add(skip, hidden);
  return scaleFactor === 1 ? sum : mul(sum, 1 / scaleFactor);
}

/** diffusers' `Downsample2D`: halves height and width. Without padding it pads below and to the right, as the VAE's encoder does. */
export function downsample(scope: Scope, x: Value, padding: number): Value {
  const channels = x.shape[1] as number;
  return conv(scope.at('conv'), x, channels, { kernel: 3, stride: 2, padding: padding || [0, 0, 1, 1] });
}

/** diffusers' `Upsample2D`: nearest-neighbour resizing to `size` (twice the size when left out), then a convolution. */
export function upsampleConv(scope: Scope, x: Value, size?: readonly [number, number]): Value {
  const [, channels, height, width] = dims4(x.shape);
  const larger = nearest(x, size ?? [2 * height, 2 * width]);
  return conv(scope.at('conv'), larger, channels, { kernel: 3, padding: 1 });
}

/** `torch.nn.functional.interpolate(x, size, mode='nearest')`: output pixel i comes from ⌊i·in/out⌋. */
function nearest(x: Value, size: readonly [number, number]): Value {
  const [, , height, width] = dims4(x.shape);
  // 2·in − 1, what a padded stride-2 convolution of an odd size leads to, is twice the size without the last pixel.
  const nearlyTwice = [2 * height - size[0], 2 * width - size[1]].every(
    (missing) => missing === 0 || missing === 1,
  );
  if (nearlyTwice) return slice(slice(upsample(x, 2), 2, 0, size[0]), 3, 0, size[1]);
  const rows = resizeRows(transpose(x, [2, 3, 0, 1]), size[0]);
  return transpose(resizeRows(transpose(rows, [1, 2, 3, 0]), size[1]), [1, 2, 3, 0]);
}

/** Picks `count` entries along the first axis, evenly. */
function resizeRows(x: Value, count: number): Value {
  const rows = x.shape[0] as number;
  const ids = Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
  return reshape(gather(reshape(x, [rows, -1]), integers([count], ids)), [count, ...x.shape.slice(1)]);
}
