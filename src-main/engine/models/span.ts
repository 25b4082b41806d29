import { add, concat, mul, reshape, sigmoid, silu, sub, transpose } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { dims4 } from '../tensor/tensor.ts';

const blocks = 6;

/** Pixels around an input pixel that its output depends on: one a 3×3 convolution on the longest way. */
export const spanReach = 3 * blocks + 3;

/**
 * SPAN, the Swift Parameter-free Attention Network (Wan et al. 2023, hongyuanyu/SPAN `span_arch.py`), its training branches merged:
 * RGB [b,3,h,w] in 0…1 → [b,3,f·h,f·w].
 */
export function span(scope: Scope, pictures: Value, channels: number, factor: number): Value {
  const centred = mul(sub(pictures, scope.at('input').weight('mean', [1, 3, 1, 1])), 255);
  const first = conv3(scope.at('first'), centred, channels);
  const after: Value[] = [];
  let x = first;
  let inside = first;
  for (let i = 0; i < blocks; i++) {
    ({ x, inside } = attentionBlock(scope.at('blocks', i), x, channels));
    after.push(x);
  }
  const last = conv3(scope.at('last'), x, channels);
  const joined = concat([first, last, after[0] as Value, inside], 1);
  const features = conv(scope.at('join'), joined, channels, { kernel: 1 });
  return pixelShuffle(conv3(scope.at('spread'), features, 3 * factor ** 2), factor);
}

/** `inside`: its first convolution, activated: the reference's SiLU works in place. The last one's output attends to itself. */
function attentionBlock(scope: Scope, x: Value, channels: number): { x: Value; inside: Value } {
  const inside = silu(conv3(scope.at('conv1'), x, channels));
  const middle = conv3(scope.at('conv2'), inside, channels);
  const last = conv3(scope.at('conv3'), silu(middle), channels);
  return { x: mul(add(last, x), sub(sigmoid(last), 0.5)), inside };
}

const conv3 = (scope: Scope, x: Value, channels: number): Value =>
  conv(scope, x, channels, { kernel: 3, padding: 1 });

/** torch's `pixel_shuffle`: [b,c·f²,h,w] → [b,c,f·h,f·w]. */
function pixelShuffle(x: Value, factor: number): Value {
  const [batch, channels, height, width] = dims4(x.shape);
  const own = channels / factor ** 2;
  const apart = reshape(x, [batch, own, factor, factor, height, width]);
  const placed = transpose(apart, [0, 1, 4, 2, 5, 3]);
  return reshape(placed, [batch, own, factor * height, factor * width]);
}
