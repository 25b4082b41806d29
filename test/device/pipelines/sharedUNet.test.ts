import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { adapterShapes } from '../../../src-main/engine/nn/adapters.ts';
import { loraName, type AdapterMethod, type AdapterTensor } from '../../../src-main/engine/nn/scope.ts';
import { Networks, type NetworkOptions } from '../../../src-main/engine/pipelines/networks.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';
import { forgetVerdicts } from '../../../src-main/engine/runtime/chooseProvider.ts';
import type * as Devices from '../../../src-main/engine/runtime/graphicsDevice.ts';
import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { onProviderNotice } from '../../../src-main/engine/runtime/notices.ts';
import { messages } from '../../../src-shared/messages/index.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { f32, type HostTensor, type Shape } from '../../../src-main/engine/tensor/tensor.ts';
import { setStub, stubSessions } from '../runtime/stubProvider.ts';

vi.mock('../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../runtime/stubProvider.ts');
  return withStub(load);
});
const card = { name: 'card', driver: '1', memory: 0, shared: false };
vi.mock('../../../src-main/engine/runtime/graphicsDevice.ts', async (load) => ({
  ...(await load<typeof Devices>()),
  graphicsDevices: () => Promise.resolve([card]),
}));

const scratch = mkdtempSync(join(tmpdir(), 'likeness-shared-'));
afterAll(() => rmSync(scratch, { recursive: true }));
beforeEach(() => {
  forgetVerdicts();
  keepVerdictsIn(mkdtempSync(join(scratch, 'cache-')));
  setStub('none');
});

const model = openModel(resolve('test/golden/fixtures/models/tiny-bk'));
const generator = new TorchGenerator(11);
const randn = (shape: Shape, scale = 1): HostTensor<'f32'> =>
  f32(
    shape,
    generator.randn(shape).map((value) => value * scale),
  );
const modules = [
  'down_blocks.0.resnets.0.conv1',
  'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q',
];

/** Adapters of a method on a convolution and a Linear, with random tensors. */
function taught(method: AdapterMethod): Pick<NetworkOptions, 'adapters' | 'own'> {
  const adapter = { name: 'default', method, rank: 2, scale: 1.5 };
  const tensors = new Map<string, HostTensor<'f32'>>();
  for (const module of modules) {
    const shapes = adapterShapes(method, model.unet.weights.get(`${module}.weight`)?.shape ?? [], 2);
    for (const [name, shape] of Object.entries(shapes) as [AdapterTensor, Shape][])
      tensors.set(`unet.${module}.${loraName(name, 'default')}`, randn(shape, 0.3));
  }
  return {
    adapters: new Map(modules.map((module) => [`unet.${module}`, [adapter]])),
    own: (name) => tensors.get(name),
  };
}

const { hidden_size: width, max_position_embeddings: tokens } = model.textEncoder.config;
const [sample, context] = [randn([2, 4, 8, 8]), randn([2, tokens, width])];
const predict = async (networks: Networks): Promise<Float32Array> =>
  (await networks.predict(sample, f32([2], [7, 600]), { context })).data;

/** What a model says with adapters and without them, and the sessions that took. */
async function bothOn(provider: Provider, options: NetworkOptions) {
  const [own, base] = [new Networks(model, { ...options, provider }), new Networks(model, { provider })];
  const before = stubSessions();
  await base.borrowFrom([own], [1, 4, 8, 8]);
  const found = { taught: await predict(own), plain: await predict(base), sessions: stubSessions() - before };
  await own.release();
  await base.release();
  return found;
}

const furthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

describe('a model with adapters and the same without them', () => {
  it.each(['lora', 'dora', 'loha', 'lokr'] as const)(
    'have one U-Net where memory is short, and say the same as two (%s)',
    async (method) => {
      const options = taught(method);
      const expected = await bothOn('cpu', options);
      expect(furthest(expected.taught, expected.plain)).toBeGreaterThan(0.01);
      card.memory = 1e6;
      const shared = await bothOn('dml', options);
      card.memory = 24e9;
      const apart = await bothOn('dml', options);
      expect([shared.sessions, apart.sessions]).toEqual([1, 2]);
      for (const { taught, plain } of [shared, apart]) {
        expect(furthest(taught, expected.taught)).toBeLessThan(1e-5);
        expect(furthest(plain, expected.plain)).toBeLessThan(1e-5);
      }
    },
  );

  it('have two where weights were trained as well', async () => {
    const { own = () => undefined, ...others } = taught('lora');
    card.memory = 1e6;
    const bias = randn(model.unet.weights.get('conv_in.bias')?.shape ?? []);
    const mixed = { ...others, own: (name: string) => (name === 'unet.conv_in.bias' ? bias : own(name)) };
    expect((await bothOn('dml', mixed)).sessions).toBe(2);
  });
});

describe('pictures that the base model guides', () => {
  const mini = openModel(resolve('models/likeness-mini'));
  const module = 'down_blocks.0.resnets.0.conv1';
  const shapes = adapterShapes('lora', mini.unet.weights.get(`${module}.weight`)?.shape ?? [], 2);
  /** A LoRA of its own for each call. */
  const lora = (provider: Provider): NetworkOptions => {
    const [a, b] = [randn(shapes.A ?? [], 0.1), randn(shapes.B ?? [], 0.1)];
    return {
      provider,
      adapters: new Map([[`unet.${module}`, [{ name: 'default', rank: 2, scale: 1 }]]]),
      own: (name) => (name.includes('.lora_A.') ? a : name.includes('.lora_B.') ? b : undefined),
    };
  };
  const box = (left: number) => ({ left, top: 0, right: left + 0.5, bottom: 1 });

  /** Latents, and the most sessions at a time; `subjects`: regions with a LoRA of their own beside the picture's. */
  async function draw(networks: NetworkOptions, subjects: readonly NetworkOptions[] = []) {
    const pipeline = new TextToImage(mini, await openTokenizer(mini), networks);
    const before = stubSessions();
    const sessions: number[] = [];
    const regions = subjects.map((own, i) => ({ box: box(i / 2), prompt: 'a dog', networks: own }));
    const sampling = { steps: 3, guidance: 3, baseGuidance: 2, width: 64, height: 64, regions };
    const options = { ...sampling, onStep: () => void sessions.push(stubSessions() - before) };
    for await (const { latents } of pipeline.generate([{ prompt: 'a dog', seed: 1 }], options)) {
      await pipeline.dispose();
      return { latents: latents.data, sessions };
    }
    throw new Error('nothing was drawn');
  }

  it('are drawn by one U-Net where memory is short', async () => {
    const own = lora('cpu');
    const expected = await draw(own);
    card.memory = 1e6;
    const found = await draw({ ...own, provider: 'dml' });
    expect(found.sessions).toEqual([1, 1, 1]);
    expect(furthest(found.latents, expected.latents)).toBeLessThan(1e-3);
  });

  it('and have two subjects are drawn by U-Nets that take turns where not all of them fit', async () => {
    const heard: string[] = [];
    onProviderNotice((sentence) => void heard.push(sentence));
    const [own, ...subjects] = [lora('cpu'), lora('cpu'), lora('cpu')] as const;
    const on = (provider: Provider) =>
      draw(
        { ...own, provider },
        subjects.map((one) => ({ ...one, provider })),
      );
    const expected = await on('cpu');
    card.memory = 24e9;
    const together = await on('dml');
    // The base model's too.
    expect(together.sessions).toEqual([4, 4, 4]);
    expect(heard).not.toContain(messages['provider.byTurns']());
    card.memory = 1e6;
    const apart = await on('dml');
    expect(apart.sessions).toEqual([0, 0, 0]);
    expect(heard).toContain(messages['provider.byTurns']());
    for (const { latents } of [together, apart])
      expect(furthest(latents, expected.latents)).toBeLessThan(1e-3);
  });
});
