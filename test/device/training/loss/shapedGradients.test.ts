import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { forgetVerdicts } from '../../../../src-main/engine/runtime/chooseProvider.ts';
import { keepVerdictsIn } from '../../../../src-main/engine/runtime/keptVerdicts.ts';
import { onProviderNotice } from '../../../../src-main/engine/runtime/notices.ts';
import { noiseSchedule } from '../../../../src-main/engine/schedulers/noiseSchedule.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { f32, i64, type HostTensor, type Shape } from '../../../../src-main/engine/tensor/tensor.ts';
import {
  consistencyFeeds,
  consistencyLora,
  consistencyObjective,
} from '../../../../src-main/engine/training/loss/consistencyLoss.ts';
import { diffusionFeeds } from '../../../../src-main/engine/training/loss/diffusionLoss.ts';
import { distillFeeds, distillObjective } from '../../../../src-main/engine/training/loss/distillLoss.ts';
import { finetuneObjective } from '../../../../src-main/engine/training/loss/finetuneObjective.ts';
import {
  LocalGradients,
  type Feeds,
  type LossOptions,
} from '../../../../src-main/engine/training/loss/gradients.ts';
import { whatToTrain, type Trained } from '../../../../src-main/engine/training/loss/parameters.ts';
import { ShapedGradients } from '../../../../src-main/engine/training/loss/shapedGradients.ts';
import { distillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import { finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import { messages } from '../../../../src-shared/messages/index.ts';
import { setStub, stubSessions } from '../../runtime/stubProvider.ts';

// A stub device: the CPU computes what it would, so that numbers can be compared to the last bits.
vi.mock('../../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../../runtime/stubProvider.ts');
  return withStub(load);
});
const card = vi.hoisted(() => ({ memory: undefined as number | undefined }));
vi.mock('../../../../src-main/engine/runtime/graphicsDevice.ts', async (load) => ({
  ...(await load<object>()),
  graphicsDevices: () =>
    Promise.resolve([{ name: 'Test Card', driver: '1', shared: false, memory: card.memory }]),
}));

const scratch = mkdtempSync(join(tmpdir(), 'likeness-shaped-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const heard: string[] = [];
beforeEach(() => {
  setStub('none');
  forgetVerdicts();
  keepVerdictsIn(mkdtempSync(join(scratch, 'cache-')));
  card.memory = undefined;
  heard.length = 0;
  onProviderNotice((sentence) => void heard.push(sentence));
});

const many = { timeout: 400_000 };
const teacher = openModel(resolve('test/golden/fixtures/models/tiny-sd1'));
const model = openModel(resolve('test/golden/fixtures/models/tiny-bk'));
const schedule = noiseSchedule(model.scheduler, model.path);
const asked = completeSettings(
  finetuneSettings,
  { photos: 'none', classNoun: 'dog' },
  { model: model.path, size: 64 },
);
const distilled = completeSettings(
  distillSettings,
  { data: 'none', lora: { rank: 2, alpha: 2, targets: ['to_q', 'conv1'] } },
  { teacher: teacher.path, student: model.path, size: 64 },
);

type Latents = readonly [number, number, number];
const square: Latents = [4, 8, 8];
const wide: Latents = [4, 8, 16];

const generator = new TorchGenerator(5);
const normal = (shape: Shape): HostTensor<'f32'> => f32(shape, generator.randn(shape));
const { max_position_embeddings: tokens, hidden_size: width } = model.textEncoder.config;

/** Two rows of latents of a shape, with ids or the text encoder's states. */
function someBatch(latents: Latents) {
  return {
    ...{ latents: normal([2, ...latents]), noise: normal([2, ...latents]) },
    timesteps: i64([2], [99, 599]),
    inputIds: i64([2, tokens], generator.randint(0, 300, [2 * tokens])),
    context: normal([2, tokens, width]),
    guidance: f32([2], [3, 7]),
  };
}

interface Kind {
  readonly trained: Trained | undefined;
  readonly lossOf: (provider: ProviderChoice) => (latents: Latents) => LossOptions;
  readonly feeds: (latents: Latents) => Feeds;
}

const finetuned = whatToTrain(model, asked);
const few = consistencyLora(model, distilled);
const negative = normal([1, tokens, width]);
const kinds: Readonly<Record<'finetune' | 'distillation' | 'few steps', Kind>> = {
  finetune: {
    trained: finetuned,
    lossOf: (provider) => (latents) =>
      finetuneObjective(model, finetuned, { rows: 2, latents, priorWeight: 0.7, provider }),
    feeds: (latents) => diffusionFeeds(someBatch(latents), schedule),
  },
  distillation: {
    trained: undefined,
    lossOf: (provider) => (latents) =>
      distillObjective(teacher, model, { ...distilled, batch: 2, latents, provider }),
    feeds: (latents) => distillFeeds(someBatch(latents), schedule),
  },
  'few steps': {
    trained: few,
    lossOf: (provider) => (latents) =>
      consistencyObjective(model, few, { batch: 2, latents, errors: 'huber', provider }),
    feeds: (latents) => consistencyFeeds(someBatch(latents), schedule, distilled, negative),
  },
};

/** Numbers that stand for what is trained; B's of zero would leave gradients of zero. */
function valuesFor(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.05 * Math.sin(12.9 * (i + 1)));
}

function expectSame(found: Float32Array, expected: Float32Array): void {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const most = found.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (expected[i] ?? NaN))), 0);
  expect(scale).toBeGreaterThan(0);
  expect(most / scale).toBeLessThan(1e-4);
}

it.each(['finetune', 'distillation', 'few steps'] as const)(
  'a batch that a device has too little memory for is computed in other ways, to the same gradient (%s)',
  async (kind) => {
    const { lossOf, feeds } = kinds[kind];
    const batch = feeds(square);
    const [host, device] = [
      await LocalGradients.create(lossOf('cpu')(square)),
      await ShapedGradients.create(square, lossOf('dml')),
    ];
    const values = valuesFor(host.layout.length);
    const [expected, found] = [host.layout.allocate(), host.layout.allocate()];
    const losses = await host.one(batch, values, expected);
    // Whole, then row by row, then with blocks twice.
    setStub('shortOfMemory', 0, 'dml', 2);
    const others = await device.one(batch, values, found);
    expect(Object.keys(others)).toEqual(Object.keys(losses));
    for (const [name, loss] of Object.entries(losses)) expect((others[name] ?? NaN) / loss).toBeCloseTo(1, 5);
    expectSame(found, expected);
    // Two batches: the rows' sum is not the batches'.
    await host.compute([batch, batch], values, expected);
    await device.compute([batch, batch], values, found);
    expectSame(found, expected);
    setStub('outOfMemory');
    await expect(device.one(batch, values, found)).rejects.toMatchObject({ code: 'provider.outOfMemory' });
    await host.dispose();
    await device.dispose();
  },
  many.timeout,
);

it('shapes share a device as far as its memory goes, and give way to each other', many, async () => {
  setStub('none');
  const { lossOf, feeds } = kinds.finetune;
  const others = stubSessions();
  const open = async (): Promise<number[]> => {
    const device = await ShapedGradients.create(square, lossOf('dml'));
    const [values, into] = [valuesFor(device.layout.length), device.layout.allocate()];
    const counts: number[] = [];
    for (const latents of [square, wide, square, wide]) {
      await device.one(feeds(latents), values, into);
      counts.push(stubSessions() - others);
    }
    await device.rest();
    expect(stubSessions()).toBe(others);
    return counts;
  };
  expect(await open()).toEqual([1, 2, 2, 2]);
  card.memory = 1e6;
  expect(await open()).toEqual([1, 1, 1, 1]);

  card.memory = undefined;
  const device = await ShapedGradients.create(square, lossOf('dml'));
  const [values, into] = [valuesFor(device.layout.length), device.layout.allocate()];
  await device.one(feeds(wide), values, into);
  setStub('shortOfMemory');
  await device.one(feeds(square), values, into);
  expect(heard).toContain(messages['provider.byShape']({ provider: 'dml' }));
  await device.one(feeds(wide), values, into);
  expect(stubSessions() - others).toBe(1);
  await device.dispose();
});

it('a device that auto chose gives way to the CPU, in f32', many, async () => {
  setStub('none', 0, 'webgpu');
  const { feeds } = kinds.finetune;
  const lossOf = (provider: ProviderChoice, precision: 'f16' | 'f32') => (latents: Latents) =>
    finetuneObjective(model, finetuned, { rows: 2, latents, priorWeight: 0.7, provider, precision });
  const [host, device] = [
    await LocalGradients.create(lossOf('cpu', 'f32')(square)),
    await ShapedGradients.create(square, lossOf('auto', 'f16')),
  ];
  setStub('throws', 0, 'webgpu');
  const batch = feeds(square);
  const values = valuesFor(host.layout.length);
  const [expected, found] = [host.layout.allocate(), host.layout.allocate()];
  await host.one(batch, values, expected);
  await device.one({ ...batch, loss_scale: f32([], [1]) }, values, found);
  expectSame(found, expected);
  expect(heard.join()).toContain('the CPU');
  await host.dispose();
  await device.dispose();
});
