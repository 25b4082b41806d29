import { add, detach, div, gemm, mul, reshape, sqrt, square, sub, sum, expand } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { elementCount, leadingDims, type Shape } from '../tensor/tensor.ts';
import {
  loraName,
  tensorEntries,
  type Adapter,
  type AdapterMethod,
  type AdapterTensor,
  type Scope,
} from './scope.ts';

/** A Linear or Conv as adapters see it. Weights and outputs may be a piece of the whole ones: some of the output features. */
export interface AdaptedLayer {
  /** Shape of the whole weight. */
  readonly shape: Shape;
  readonly weight: Value;
  readonly bias?: Value | undefined;
  /** The piece of a tensor whose first axis is all output features. */
  readonly piece: (whole: Value) => Value;
  /** The layer's output with another weight of the piece's shape. */
  readonly by: (weight: Value, bias?: Value) => Value;
  /** The same with the weight B·A. */
  readonly byProduct: (a: Value, b: Value) => Value;
  /** A number for each output feature of the piece, shaped so that it spreads over the outputs. */
  readonly spread: (perOutput: Value) => Value;
}

/** A layer's output with its scope's adapters. */
export function adaptedLayer(scope: Scope, layer: AdaptedLayer): Value {
  const { adapters } = scope;
  // DoRA scales what the weight makes, not the bias.
  const late = adapters.some(({ method }) => method === 'dora');
  const base = layer.by(layer.weight, late ? undefined : layer.bias);
  const changed = adapters.reduce(
    (y, adapter) => changes[adapter.method ?? 'lora'](scope, layer, adapter, y),
    base,
  );
  return late && layer.bias ? add(changed, layer.spread(layer.bias)) : changed;
}

type Change = (scope: Scope, layer: AdaptedLayer, adapter: Adapter, y: Value) => Value;

const changes: Readonly<Record<AdapterMethod, Change>> = {
  lora: (scope, layer, adapter, y) => {
    const [a, b] = [tensor(scope, layer, adapter, 'A'), tensor(scope, layer, adapter, 'B')];
    return add(y, layer.byProduct(a, scaled(b, scope, adapter)));
  },
  // Liu et al. 2024, with the norm held constant in the gradient (section 4.3), as PEFT does.
  dora: (scope, layer, adapter, y) => {
    const [a, b] = [
      tensor(scope, layer, adapter, 'A'),
      scaled(tensor(scope, layer, adapter, 'B'), scope, adapter),
    ];
    const { rank } = adapter;
    const rows = layer.piece(b);
    const change = gemm(reshape(rows, [-1, rank]), reshape(a, [rank, -1]));
    const direction = add(reshape(layer.weight, [rows.shape[0] as number, -1]), change);
    const length = detach(sqrt(sum(square(direction), [1])));
    const magnitude = layer.piece(tensor(scope, layer, adapter, 'magnitude'));
    return mul(add(y, layer.byProduct(a, b)), layer.spread(partly(div(magnitude, length), scope)));
  },
  // Hyeon-Woo et al. 2022 (FedPara): an elementwise product of two low-rank matrices.
  loha: (scope, layer, adapter, y) => {
    const one = (number: 1 | 2): Value =>
      gemm(
        tensor(scope, layer, adapter, `hada_w${number}_a`),
        tensor(scope, layer, adapter, `hada_w${number}_b`),
      );
    return add(y, layer.by(layer.piece(reshape(scaled(mul(one(1), one(2)), scope, adapter), layer.shape))));
  },
  // Yeh et al. 2023 (LyCORIS): a Kronecker product, the second factor of low rank where that is smaller.
  lokr: (scope, layer, adapter, y) => {
    const [, ...others] = tensorEntries(adapterShapes('lokr', layer.shape, adapter.rank));
    const first = scaled(tensor(scope, layer, adapter, 'lokr_w1'), scope, adapter);
    const made = others.map(([name]) => tensor(scope, layer, adapter, name));
    const second = made[1] ? gemm(made[0] as Value, made[1]) : (made[0] as Value);
    const change = kronecker(first, reshape(second, [second.shape[0] as number, -1]));
    return add(y, layer.by(layer.piece(reshape(change, layer.shape))));
  },
};

/** [a,b] ⊗ [c,d] → [a·c, b·d]. */
function kronecker(first: Value, second: Value): Value {
  const [a, b] = leadingDims(first.shape);
  const [c, d] = leadingDims(second.shape);
  const all = [a, c, b, d];
  const left = expand(reshape(first, [a, 1, b, 1]), all);
  return reshape(mul(left, reshape(second, [1, c, 1, d])), [a * c, b * d]);
}

function tensor(scope: Scope, { shape }: AdaptedLayer, adapter: Adapter, name: AdapterTensor): Value {
  const own = adapterShapes(adapter.method ?? 'lora', shape, adapter.rank)[name];
  if (!own) throw new Error(`${adapter.method ?? 'lora'} has no ${name}`);
  return scope.weight(loraName(name, adapter.name), own);
}

/** The smallest matrix is scaled, not the result. */
function scaled(x: Value, { strength }: Scope, { scale }: Adapter): Value {
  const whole = scale === 1 ? x : mul(x, scale);
  return strength ? mul(whole, strength) : whole;
}

/** A factor, as far as the adapters' strength goes: 1 where there is none of them. */
const partly = (factor: Value, { strength }: Scope): Value =>
  strength ? add(mul(sub(factor, 1), strength), 1) : factor;

/** The tensors of an adapter on a weight [out, in, …kernel], with their shapes, as PEFT makes them by default. */
export function adapterShapes(
  method: AdapterMethod,
  shape: Shape,
  rank: number,
): Partial<Record<AdapterTensor, Shape>> {
  const [outputs, inputs, ...kernel] = leadingDims(shape);
  const ones = kernel.map(() => 1);
  const columns = inputs * elementCount(kernel);
  switch (method) {
    case 'lora':
      return { A: [rank, inputs, ...kernel], B: [outputs, rank, ...ones] };
    case 'dora':
      return { A: [rank, inputs, ...kernel], B: [outputs, rank, ...ones], magnitude: [outputs] };
    case 'loha':
      return {
        ...{ hada_w1_a: [outputs, rank], hada_w1_b: [rank, columns] },
        ...{ hada_w2_a: [outputs, rank], hada_w2_b: [rank, columns] },
      };
    case 'lokr': {
      const [few, many] = factors(outputs);
      const [fewInputs, manyInputs] = factors(inputs);
      const whole = rank >= Math.max(many, manyInputs) / 2;
      return {
        lokr_w1: [few, fewInputs],
        ...(whole
          ? { lokr_w2: [many, manyInputs, ...kernel] }
          : { lokr_w2_a: [many, rank], lokr_w2_b: [rank, manyInputs * elementCount(kernel)] }),
      };
    }
  }
}

/** The two factors of a number that are nearest to each other, the smaller one first: PEFT's and LyCORIS' `factorization`. */
function factors(size: number): [number, number] {
  for (let small = Math.floor(Math.sqrt(size)); small > 1; small--)
    if (size % small === 0) return [small, size / small];
  return [1, size];
}
