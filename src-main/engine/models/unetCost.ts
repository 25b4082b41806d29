import { input } from '../graph/build.ts';
import { topological, type Graph } from '../graph/graph.ts';
import type { Value } from '../graph/ops.ts';
import { Scope } from '../nn/scope.ts';
import { elementCount, type Shape } from '../tensor/tensor.ts';
import { addedInputs } from './addedEmbedding.ts';
import type { UNetConfig } from './config.ts';
import { countMacs, macsOf, weightShapes, type Macs } from './cost.ts';
import { guidanceInput } from './guidanceEmbedding.ts';
import { unet } from './unet.ts';

/** What a U-Net, or a part of one, costs: its numbers, and one call for one picture of the model's size. */
export interface Cost {
  readonly parameters: number;
  readonly macs: Macs;
}

/** Names and shapes of all the weights of a U-Net. */
export function unetShapes(config: UNetConfig): Map<string, Shape> {
  return weightShapes((scope) => call(scope, config));
}

export function unetCost(config: UNetConfig): Cost {
  return { parameters: count(unetShapes(config).values()), macs: countMacs(oneCall(config)) };
}

/** The cost of each pair of a resnet and its attention ("down_blocks.0.1"), and of the mid block. */
export function blockCosts(config: UNetConfig): Map<string, Cost> {
  const costs = new Map<string, Cost>();
  const add = (name: string | undefined, { parameters, macs }: Cost): void => {
    const block = name === undefined ? undefined : blockOf(name);
    if (block === undefined) return;
    const known = costs.get(block) ?? { parameters: 0, macs: { layers: 0, attention: 0 } };
    costs.set(block, {
      parameters: known.parameters + parameters,
      macs: {
        layers: known.macs.layers + macs.layers,
        attention: known.macs.attention + macs.attention,
      },
    });
  };
  for (const [name, shape] of unetShapes(config))
    add(name, { parameters: elementCount(shape), macs: { layers: 0, attention: 0 } });
  for (const value of topological(Object.values(oneCall(config).outputs))) {
    const macs = macsOf(value);
    if (macs.layers + macs.attention > 0) add(weightName(value), { parameters: 0, macs });
  }
  return costs;
}

/** The block that a weight belongs to: a pair of a stage, or the mid block. */
export function blockOf(weight: string): string | undefined {
  const [, side, pair] = /^((?:down|up)_blocks\.\d+)\.(?:resnets|attentions)\.(\d+)\./.exec(weight) ?? [];
  if (side !== undefined) return `${side}.${pair}`;
  return weight.startsWith('mid_block.') ? 'mid_block' : undefined;
}

/** The weight that a product is of; of attention's own products, that of its queries. */
function weightName(value: Value): string | undefined {
  if (value.op === 'parameter') return value.attributes.name.slice('unet.'.length);
  const operand = value.inputs[value.op === 'gemm' || value.op === 'conv2d' ? 1 : 0];
  return operand && weightName(operand);
}

function oneCall(config: UNetConfig): Graph {
  return { outputs: { sample: call(Scope.root('unet'), config) } };
}

function call(scope: Scope, config: UNetConfig): Value {
  const [height, width] = config.sample_size;
  const sample = input('sample', [1, config.in_channels, height, width]);
  const context = input('context', [1, clipTokens, config.cross_attention_dim[0] as number]);
  const timesteps = input('timesteps', [1], 'i64');
  const more = { ...guidanceInput(config, 1), ...addedInputs(config, 1) };
  return unet(scope, { sample, timesteps, context, ...more }, config).sample;
}

/** Length of a prompt in all models of this family. */
const clipTokens = 77;

function count(shapes: Iterable<Shape>): number {
  return [...shapes].reduce((sum, shape) => sum + elementCount(shape), 0);
}
