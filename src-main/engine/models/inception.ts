import {
  add,
  concat,
  constant,
  conv2d,
  div,
  less,
  mean,
  mul,
  pad,
  reciprocal,
  relu,
  reshape,
  slice,
  sqrt,
  sub,
  where,
} from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { linear } from '../nn/layers.ts';
import type { Scope } from '../nn/scope.ts';
import { dims2, dims4, f32, type Shape } from '../tensor/tensor.ts';

/** The shape of a stored tensor: the network is as wide as its weights say. */
export type StoredShape = (name: string) => Shape;

/**
 * Inception v3 as FID uses it: pytorch-fid's `InceptionV3`, the weights of TensorFlow's 2015 graph under torchvision's names. Its
 * average pools leave the padding out, and the last block takes a maximum instead. Pictures [b,3,299,299], about −1…1 → features
 * [b,2048], and logits [b,1008] without their bias.
 */
export function inception(
  root: Scope,
  pixels: Value,
  shapes: StoredShape,
): { features: Value; logits: Value } {
  const net = new Branches(root, shapes);
  let x = net.conv(pixels, 'Conv2d_1a_3x3', { stride: 2, padded: false });
  x = net.conv(x, 'Conv2d_2a_3x3', { padded: false });
  x = maxPool(net.conv(x, 'Conv2d_2b_3x3'), 2);
  x = net.conv(x, 'Conv2d_3b_1x1');
  x = maxPool(net.conv(x, 'Conv2d_4a_3x3', { padded: false }), 2);
  for (const block of ['Mixed_5b', 'Mixed_5c', 'Mixed_5d']) x = blockA(net.at(block), x);
  x = blockB(net.at('Mixed_6a'), x);
  for (const block of ['Mixed_6b', 'Mixed_6c', 'Mixed_6d', 'Mixed_6e']) x = blockC(net.at(block), x);
  x = blockD(net.at('Mixed_7a'), x);
  x = blockE(net.at('Mixed_7b'), x, averagePool);
  x = blockE(net.at('Mixed_7c'), x, (value) => maxPool(value, 1));
  const features = mean(x, [2, 3]);
  const [classes] = dims2(shapes('fc.weight'));
  return { features, logits: linear(root.at('fc'), features, classes, { bias: false }) };
}

interface ConvOptions {
  readonly stride?: number;
  /** So that stride 1 keeps the size. */
  readonly padded?: boolean;
}

/** Hands out a block's convolutions by their names. */
class Branches {
  constructor(
    private readonly scope: Scope,
    private readonly shapes: StoredShape,
  ) {}

  at(name: string): Branches {
    return new Branches(this.scope.at(name), this.shapes);
  }

  /** torchvision's `BasicConv2d`: convolution, batch norm as trained (folded into the weight), ReLU. */
  conv(x: Value, name: string, { stride = 1, padded = true }: ConvOptions = {}): Value {
    const scope = this.scope.at(name);
    const shape = this.shapes(`${scope.module}.conv.weight`);
    const [outputs, , tall, wide] = dims4(shape);
    const norm = (key: string): Value => scope.at('bn').weight(key, [outputs]);
    const scale = div(norm('weight'), sqrt(add(norm('running_var'), 1e-3)));
    const weight = mul(scope.at('conv').weight('weight', shape), reshape(scale, [outputs, 1, 1, 1]));
    const bias = sub(norm('bias'), mul(norm('running_mean'), scale));
    const [y, z] = padded ? [(tall - 1) / 2, (wide - 1) / 2] : [0, 0];
    return relu(conv2d(x, weight, bias, { stride: [stride, stride], padding: [y, z, y, z] }));
  }

  /** One convolution after the other. */
  chain(x: Value, ...names: string[]): Value {
    return names.reduce((value, name) => this.conv(value, name), x);
  }
}

function blockA(block: Branches, x: Value): Value {
  return concat(
    [
      block.conv(x, 'branch1x1'),
      block.chain(x, 'branch5x5_1', 'branch5x5_2'),
      block.chain(x, 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3'),
      block.conv(averagePool(x), 'branch_pool'),
    ],
    1,
  );
}

/** Halves height and width, as D does. */
function blockB(block: Branches, x: Value): Value {
  const halving = { stride: 2, padded: false };
  const doubled = block.chain(x, 'branch3x3dbl_1', 'branch3x3dbl_2');
  return concat(
    [block.conv(x, 'branch3x3', halving), block.conv(doubled, 'branch3x3dbl_3', halving), maxPool(x, 2)],
    1,
  );
}

function blockC(block: Branches, x: Value): Value {
  const doubled = [1, 2, 3, 4, 5].map((i) => `branch7x7dbl_${i}`);
  return concat(
    [
      block.conv(x, 'branch1x1'),
      block.chain(x, 'branch7x7_1', 'branch7x7_2', 'branch7x7_3'),
      block.chain(x, ...doubled),
      block.conv(averagePool(x), 'branch_pool'),
    ],
    1,
  );
}

function blockD(block: Branches, x: Value): Value {
  const halving = { stride: 2, padded: false };
  const wide = block.chain(x, 'branch7x7x3_1', 'branch7x7x3_2', 'branch7x7x3_3');
  return concat(
    [
      block.conv(block.conv(x, 'branch3x3_1'), 'branch3x3_2', halving),
      block.conv(wide, 'branch7x7x3_4', halving),
      maxPool(x, 2),
    ],
    1,
  );
}

function blockE(block: Branches, x: Value, pool: (x: Value) => Value): Value {
  const single = block.conv(x, 'branch3x3_1');
  const doubled = block.chain(x, 'branch3x3dbl_1', 'branch3x3dbl_2');
  return concat(
    [
      block.conv(x, 'branch1x1'),
      block.conv(single, 'branch3x3_2a'),
      block.conv(single, 'branch3x3_2b'),
      block.conv(doubled, 'branch3x3dbl_3a'),
      block.conv(doubled, 'branch3x3dbl_3b'),
      block.conv(pool(x), 'branch_pool'),
    ],
    1,
  );
}

/** Channel by channel, the same kernel for all. */
function filtered(x: Value, kernel: number, value: number, stride: number): Value {
  const channels = x.shape[1] as number;
  const weight = f32([channels, 1, kernel, kernel]);
  weight.data.fill(value);
  const padding = (kernel - 1) / 2;
  return conv2d(x, constant(weight), undefined, {
    stride: [stride, stride],
    padding: [padding, padding, padding, padding],
    groups: channels,
  });
}

/** Mean of 3×3 neighbours, at the edges of those that are there. */
function averagePool(x: Value): Value {
  const [, , height, width] = dims4(x.shape);
  const within = (size: number, i: number): number => Math.min(size - 1, i + 1) - Math.max(0, i - 1) + 1;
  const counts = Array.from(
    { length: height * width },
    (_, i) => within(height, Math.floor(i / width)) * within(width, i % width),
  );
  return mul(filtered(x, 3, 1, 1), reciprocal(constant(f32([1, 1, height, width], counts))));
}

/**
 * Maximum of 3×3 neighbours: at stride 1 with the size kept (padded with zeros, which no value after a ReLU is below), at stride 2
 * without padding.
 */
function maxPool(x: Value, stride: 1 | 2): Value {
  const whole = stride === 1 ? pad(x, [0, 0, 1, 1], [0, 0, 1, 1]) : x;
  const most = alongAxis(alongAxis(whole, 2), 3);
  return stride === 1 ? most : filtered(most, 1, 1, stride);
}

function alongAxis(x: Value, axis: 2 | 3): Value {
  const size = (x.shape[axis] as number) - 2;
  const from = (start: number): Value => slice(x, axis, start, start + size);
  return larger(larger(from(0), from(1)), from(2));
}

const larger = (a: Value, b: Value): Value => where(less(a, b), b, a);
