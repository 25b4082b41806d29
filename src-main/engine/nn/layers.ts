import {
  conv2d,
  gemm,
  groupNorm as groupNormOp,
  layerNorm as layerNormOp,
  reshape,
  slice,
} from '../graph/build.ts';
import type { ConvAttributes, Value } from '../graph/ops.ts';
import { adaptedLayer } from './adapters.ts';
import type { Scope } from './scope.ts';

export interface LinearOptions {
  readonly bias?: boolean;
  /** Only these outputs, of `features`: a piece of the weight is read instead of cutting the result. */
  readonly outputs?: readonly [start: number, end: number];
}

/** x [...,i] → [...,features], with diffusers' weight [o,i]; LoRA where the scope has adapters. */
export function linear(scope: Scope, x: Value, features: number, options: LinearOptions = {}): Value {
  const { bias = true, outputs: [start, end] = [0, features] } = options;
  const inputs = x.shape.at(-1) as number;
  const rows = reshape(x, [-1, inputs]);
  const some = (weight: Value): Value => slice(weight, 0, start, end);
  const shape = [features, inputs];
  const adapted = adaptedLayer(scope, {
    shape,
    weight: some(scope.weight('weight', shape)),
    bias: bias ? some(scope.weight('bias', [features])) : undefined,
    piece: some,
    by: (weight, added) => gemm(rows, weight, false, true, added),
    byProduct: (a, b) => gemm(gemm(rows, a, false, true), some(b), false, true),
    spread: (perOutput) => perOutput,
  });
  return reshape(adapted, [...x.shape.slice(0, -1), end - start]);
}

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** On all sides, or [top, left, bottom, right]. */
  readonly padding?: number | ConvAttributes['padding'];
  /** As many as there are channels: depthwise. */
  readonly groups?: number;
}

/** x [b,i,h,w] → [b,channels,h',w']; LoRA where the scope has adapters. */
export function conv(
  scope: Scope,
  x: Value,
  channels: number,
  { kernel, stride = 1, padding = 0, groups = 1 }: ConvOptions,
): Value {
  const inputs = x.shape[1] as number;
  const attributes: ConvAttributes = {
    stride: [stride, stride],
    padding: typeof padding === 'number' ? [padding, padding, padding, padding] : padding,
  };
  const pointwise: ConvAttributes = { stride: [1, 1], padding: [0, 0, 0, 0] };
  const shape = [channels, inputs / groups, kernel, kernel];
  const grouped = groups === 1 ? attributes : { ...attributes, groups };
  return adaptedLayer(scope, {
    shape,
    weight: scope.weight('weight', shape),
    bias: scope.weight('bias', [channels]),
    piece: (whole) => whole,
    by: (weight, bias) => conv2d(x, weight, bias, grouped),
    byProduct: (a, b) => conv2d(conv2d(x, a, undefined, attributes), b, undefined, pointwise),
    spread: (perOutput) => reshape(perOutput, [1, -1, 1, 1]),
  });
}

export function layerNorm(scope: Scope, x: Value, epsilon = 1e-5): Value {
  const width = x.shape.at(-1) as number;
  return layerNormOp(x, scope.weight('weight', [width]), scope.weight('bias', [width]), epsilon);
}

export function groupNorm(scope: Scope, x: Value, groups: number, epsilon: number): Value {
  const channels = x.shape[1] as number;
  return groupNormOp(
    x,
    scope.weight('weight', [channels]),
    scope.weight('bias', [channels]),
    groups,
    epsilon,
  );
}
