import { add, less, mean, relu, sub, mul, where } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { conv } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';

/** One inverted residual: widened to `expanded`, filtered channel by channel, narrowed to `channels`. */
export interface MobileNetBlock {
  readonly expanded: number;
  readonly channels: number;
  readonly stride: number;
}

export interface MobileNetConfig {
  /** Height and width of the pictures. */
  readonly size: number;
  /** Channels of the first convolution. */
  readonly first: number;
  readonly blocks: readonly MobileNetBlock[];
  /** Length of the feature vector. */
  readonly features: number;
}

/**
 * MobileNetV2 (Sandler et al. 2018) without its classifier, batch norms folded into the convolutions: RGB [b,3,size,size] in 0…1 →
 * mean of the last feature map [b,features].
 */
export function mobileNet(scope: Scope, pictures: Value, config: MobileNetConfig): Value {
  const last = trunk(scope, pictures, config).at(-1) as Value;
  return mean(relu6(conv(scope.at('last'), last, config.features, { kernel: 1 })), [2, 3]);
}

/** Its last feature maps [b,c,size/reach,size/reach] of cells so many pixels wide: 2, 4, 8, 16 or 32. */
export function mobileNetMaps(
  scope: Scope,
  pictures: Value,
  config: MobileNetConfig,
): (reach: number) => Value {
  const maps = trunk(scope, pictures, config);
  const size = pictures.shape[2] as number;
  return (reach) => maps.findLast(({ shape }) => shape[2] === size / reach) as Value;
}

/** What each block gives. */
function trunk(scope: Scope, pictures: Value, { first, blocks }: MobileNetConfig): Value[] {
  const centred = sub(mul(pictures, 2), 1);
  let x = relu6(conv(scope.at('first'), centred, first, { kernel: 3, ...filter(2) }));
  return blocks.map((block, i) => (x = invertedResidual(scope.at('blocks', i), x, block)));
}

function invertedResidual(scope: Scope, x: Value, { expanded, channels, stride }: MobileNetBlock): Value {
  const inputs = x.shape[1] as number;
  const wide = inputs === expanded ? x : relu6(conv(scope.at('expand'), x, expanded, { kernel: 1 }));
  const depthwise = { kernel: 3, groups: expanded, ...filter(stride) };
  const filtered = relu6(conv(scope.at('depthwise'), wide, expanded, depthwise));
  const narrow = conv(scope.at('project'), filtered, channels, { kernel: 1 });
  return stride === 1 && inputs === channels ? add(x, narrow) : narrow;
}

/** TensorFlow's padding `SAME` of a 3×3 kernel over an even size. */
function filter(stride: number): { stride: number; padding: number | [number, number, number, number] } {
  return stride === 1 ? { stride, padding: 1 } : { stride, padding: [0, 0, 1, 1] };
}

function relu6(x: Value): Value {
  const positive = relu(x);
  return where(less(positive, 6), positive, 6);
}
