import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { cast, input, meanSquaredError } from '../../../src-main/engine/graph/build.ts';
import { leaves, topological } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { print } from '../../../src-main/engine/graph/print.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { Scope, type Adapter } from '../../../src-main/engine/nn/scope.ts';
import { openTiny } from '../../golden/models/goldens.ts';

/** A rank that no layer of the model has as its width, so that shapes tell LoRA's matrices from all others. */
const rank = 5;
const model = openTiny('tiny-sd1');

/** A step on the model's U-Net: the loss, and the gradients of what `trains` says. */
function step(targets: readonly string[], trains: (name: string) => boolean) {
  const modules: string[] = [];
  const build = (scope: Scope): Value => {
    const { cross_attention_dim: width } = model.unet.config;
    const inputs = {
      sample: input('sample', [1, 4, 8, 8]),
      timesteps: cast(input('timesteps', [1], 'i64'), 'f32'),
      context: input('context', [1, 77, [width].flat()[0] as number]),
    };
    return unet(scope, inputs, model.unet.config).sample;
  };
  build(
    Scope.root('unet', {
      onWeight: (name) => modules.push(name.replace(/^unet\./, '').replace(/\.weight$/, '')),
    }),
  );
  const adapter: Adapter = { name: 'default', rank, scale: 2 };
  const adapted = modules.filter((module) => targets.some((target) => module.endsWith(`.${target}`)));
  const scope = Scope.root('unet', {
    adapters: new Map(adapted.map((module) => [`unet.${module}`, [adapter]])),
  });
  const loss = meanSquaredError(build(scope), input('noise', [1, 4, 8, 8]));
  const trained = [...leaves({ outputs: { loss } }, 'parameter')].filter(([name]) => trains(name));
  const gradients = backward(
    loss,
    trained.map(([, value]) => value),
  );
  const outputs = {
    loss,
    ...Object.fromEntries(trained.map(([name], i) => [`gradient.${name}`, gradients[i] as Value])),
  };
  return { outputs, adapted, later: topological(Object.values(outputs)).filter(({ id }) => id > loss.id) };
}

const ofLora = ({ shape }: Value): boolean => shape.includes(rank);
/** A parameter, or a part of one. */
const isWeight = ({ op, inputs }: Value): boolean =>
  op === 'parameter' || op === 'constant' || (inputs.length > 0 && inputs.every(isWeight));
const isLora = (name: string): boolean => name.includes('.lora_');

describe('a LoRA step of the U-Net', () => {
  const { outputs, adapted, later } = step(['to_q', 'to_v'], isLora);

  it('has a gradient for A and B of every target, of their shapes', () => {
    expect(adapted.length).toBeGreaterThan(20);
    expect(Object.keys(outputs).length).toBe(1 + 2 * adapted.length);
  });

  it('computes no gradient of a frozen convolution', () => {
    expect(print({ outputs })).not.toContain('conv2dWeightGradient');
    expect(later.filter(({ op }) => op === 'conv2dInputGradient').length).toBeGreaterThan(0);
  });

  it('computes no gradient of a frozen linear layer', () => {
    // The gradient of a weight is a product of two activations; going back through a layer multiplies with its weight.
    const products = later.filter(({ op }) => op === 'gemm');
    const ofWeights = products.filter(({ inputs }) => !inputs.some(isWeight));
    expect(ofWeights.length).toBe(2 * adapted.length);
    expect(ofWeights.every(ofLora)).toBe(true);
  });

  it('computes no gradient of a frozen scale or bias', () => {
    const vectors = later.filter(({ op, shape }) => op === 'sum' && shape.length === 1);
    expect(vectors).toEqual([]);
  });

  it('does not go back past the first target', () => {
    // conv_in, the time embedding and the first resnet come before any attention.
    const before = /^unet\.(conv_in|time_embedding|down_blocks\.0\.resnets\.0)\./;
    const used = later.flatMap(({ inputs }) =>
      inputs.flatMap((operand) => (operand.op === 'parameter' ? [operand.attributes.name] : [])),
    );
    expect(used.filter((name) => before.test(name))).toEqual([]);
  });

  it('trains convolutions’ adapters too', () => {
    const convolutions = step(['conv1'], isLora);
    const weights = convolutions.later.filter(({ op }) => op === 'conv2dWeightGradient');
    expect(weights.length).toBe(2 * convolutions.adapted.length);
    expect(weights.every(ofLora)).toBe(true);
  });
});
