import { topological, type Graph } from '../graph/graph.ts';
import type { Node, Op, Value } from '../graph/ops.ts';
import { Scope } from '../nn/scope.ts';
import { elementCount, type Shape } from '../tensor/tensor.ts';

/** Multiply–accumulate operations of one run. */
export interface Macs {
  /** Convolutions and linear layers (and their gradients). */
  readonly layers: number;
  /** Products of activations with activations: attention. */
  readonly attention: number;
}

/** Counts the products in a graph; elementwise work and norms are left out, as is usual. */
export function countMacs(graph: Graph): Macs {
  let [layers, attention] = [0, 0];
  for (const value of topological(Object.values(graph.outputs))) {
    const macs = macsOf(value);
    layers += macs.layers;
    attention += macs.attention;
  }
  return { layers, attention };
}

/** Those of one operation. */
export function macsOf(value: Value): Macs {
  return value.op === 'attention' || value.op === 'attentionGradient' || value.op === 'matmul'
    ? { layers: 0, attention: attentionMacs(value) }
    : { layers: layerMacs(value), attention: 0 };
}

const shapeOf = (value: Node<Op>, index: number): Shape => (value.inputs[index] as Value).shape;

function attentionMacs(value: Node<'attention'> | Node<'attentionGradient'> | Node<'matmul'>): number {
  if (value.op === 'matmul')
    return elementCount(value.shape) * (shapeOf(value, 0).at(value.attributes.transA ? -2 : -1) as number);
  // Queries with keys, then probabilities with values; backwards the first again, and a gradient for each operand of both.
  const products = value.op === 'attention' ? 2 : 5;
  return products * elementCount(shapeOf(value, 0)) * (shapeOf(value, 1)[1] as number);
}

function layerMacs(value: Value): number {
  switch (value.op) {
    case 'gemm':
      return elementCount(value.shape) * (shapeOf(value, 0)[value.attributes.transA ? 0 : 1] as number);
    case 'conv2d':
      return convMacs(value.shape, shapeOf(value, 1));
    case 'conv2dInputGradient':
      return convMacs(shapeOf(value, 0), shapeOf(value, 1));
    case 'conv2dWeightGradient':
      return convMacs(shapeOf(value, 1), value.shape);
    default:
      return 0;
  }
}

/** Every output pixel [b,o,h,w] meets the whole kernel [o,i,kh,kw] of its channel. */
function convMacs(output: Shape, weight: Shape): number {
  return elementCount(output) * elementCount(weight.slice(1));
}

/** Names, below the part, and shapes of all the weights that `build` asks its scope for. */
export function weightShapes(build: (scope: Scope) => unknown): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  build(Scope.root('', { onWeight: (name, shape) => void shapes.set(name.slice(1), shape) }));
  return shapes;
}
