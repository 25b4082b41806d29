import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { input, meanSquaredError } from '../../../src-main/engine/graph/build.ts';
import { leaves, type Graph } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { clipTextModel } from '../../../src-main/engine/models/clip.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { Scope, type Adapter } from '../../../src-main/engine/nn/scope.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { f32, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { execute, goldens, openTiny, relativeError, tinyModels } from './goldens.ts';

type Golden = ReturnType<typeof goldens>;
const feedNames = ['input_ids', 'timesteps', 'latents', 'noise'] as const;
type Feeds = Record<(typeof feedNames)[number], HostTensor>;

const feedsOf = (golden: Golden) =>
  Object.fromEntries(feedNames.map((name) => [name, golden.get(name)])) as Feeds;

/** MSE(U-Net(latents, timesteps, text(input_ids)), noise). */
function lossOf(
  model: Model,
  feeds: Feeds,
  adapters: ReadonlyMap<string, readonly Adapter[]> = new Map(),
): Value {
  const value = (name: keyof Feeds) => input(name, feeds[name].shape, feeds[name].dtype);
  const context = clipTextModel(
    Scope.root('text_encoder', { adapters }),
    value('input_ids'),
    model.textEncoder.config,
  );
  const inputs = { sample: value('latents'), timesteps: value('timesteps'), context };
  return meanSquaredError(
    unet(Scope.root('unet', { adapters }), inputs, model.unet.config).sample,
    value('noise'),
  );
}

function withGradients(loss: Value, trained: ReadonlyMap<string, Value>): Graph {
  const gradients = backward(loss, [...trained.values()]);
  return {
    outputs: {
      loss,
      ...Object.fromEntries([...trained.keys()].map((name, i) => [`grad.${name}`, gradients[i] as Value])),
    },
  };
}

const norm = ({ data }: HostTensor): number => Math.hypot(...Array.from(data as Float32Array));

/** Within a thousandth; where torch's is zero but for rounding (a key's bias, or a query when there is one pixel), so is ours. */
function expectGradient(actual: HostTensor | undefined, expected: HostTensor, name: string): void {
  if (norm(expected) > 1e-9) expect(relativeError(actual, expected), name).toBeLessThan(1e-3);
  else expect(norm(actual as HostTensor), name).toBeLessThan(1e-6);
}

describe.each(tinyModels)('%s gradients', (name) => {
  const model = openTiny(name);
  const golden = goldens('gradients', name);
  const feeds = feedsOf(golden);

  it('of every weight of U-Net and text encoder', async () => {
    const loss = lossOf(model, feeds);
    const trained = leaves({ outputs: { loss } }, 'parameter');
    const found = await execute(withGradients(loss, trained), model, feeds);
    expect(relativeError(found['loss'], golden.get('loss'))).toBeLessThan(1e-5);
    const norms = golden.keys.filter((key) => key.startsWith('norm.'));
    expect(norms.map((key) => key.slice(5)).sort()).toEqual([...trained.keys()].sort());
    for (const key of norms) {
      const actual = norm(found[key.replace('norm.', 'grad.')] as HostTensor);
      expectGradient(f32([], [actual]), golden.get(key), key);
    }
    for (const key of golden.keys.filter((key) => key.startsWith('grad.')))
      expectGradient(found[key], golden.get(key), key);
  });

  it('of LoRA matrices, and of nothing else', async () => {
    const matrices = golden.keys.filter(
      (key) => key.startsWith('lora.') && key.endsWith('.lora_A.weight') && !key.includes('.grad.'),
    );
    const modules = matrices.map((key) => key.slice('lora.'.length, -'.lora_A.weight'.length));
    const [rank, alpha] = [Number(golden.metadata['lora_rank']), Number(golden.metadata['lora_alpha'])];
    const adapter: Adapter = { name: 'default', rank, scale: alpha / rank };
    const adapters = new Map(modules.map((module) => [module, [adapter]]));
    const goldenName = (parameter: string) => `lora.${parameter.replace('.default.', '.')}`;

    const loss = lossOf(model, feeds, adapters);
    const trained = new Map(
      [...leaves({ outputs: { loss } }, 'parameter')].filter(([parameter]) => parameter.includes('.lora_')),
    );
    expect(trained.size).toBe(2 * modules.length);
    const graph = withGradients(loss, trained);
    const own = (parameter: string) =>
      trained.has(parameter) ? golden.get(goldenName(parameter)) : undefined;
    const found = await execute(graph, model, feeds, own);
    expect(relativeError(found['loss'], golden.get('lora.loss'))).toBeLessThan(1e-5);
    for (const parameter of trained.keys()) {
      const reference = goldenName(parameter).replace('lora.', 'lora.grad.');
      expectGradient(found[`grad.${parameter}`], golden.get(reference), parameter);
    }
  });
});
