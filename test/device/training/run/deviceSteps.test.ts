import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { onProviderNotice } from '../../../../src-main/engine/runtime/notices.ts';
import { keepVerdictsIn } from '../../../../src-main/engine/runtime/keptVerdicts.ts';
import { forgetVerdicts } from '../../../../src-main/engine/runtime/chooseProvider.ts';
import { finetune } from '../../../../src-main/engine/training/run/finetune.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { elementCount, f32, i64, type HostTensor } from '../../../../src-main/engine/tensor/tensor.ts';
import { unetShapes } from '../../../../src-main/engine/models/unetCost.ts';
import { distillObjective } from '../../../../src-main/engine/training/loss/distillLoss.ts';
import { finetuneObjective } from '../../../../src-main/engine/training/loss/finetuneObjective.ts';
import type { Feeds, LossOptions, RowLoss } from '../../../../src-main/engine/training/loss/gradients.ts';
import { whatToTrain } from '../../../../src-main/engine/training/loss/parameters.ts';
import { bytesOf, waysThatFit } from '../../../../src-main/engine/training/loss/waysThatFit.ts';
import { stepMemory } from '../../../../src-main/engine/training/loss/stepMemory.ts';
import { StepsLost, Trainer } from '../../../../src-main/engine/training/run/trainer.ts';
import { trainingWork } from '../../../../src-main/features/bench/workloads.ts';
import { finetuneSettings, type FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent, StepEvent } from '../../../../src-shared/domain/jobEvents.ts';
import type { Precision } from '../../../../src-shared/domain/precision.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { messages } from '../../../../src-shared/messages/index.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import { setStub, stubRuns, stubSessions } from '../../runtime/stubProvider.ts';

// A stub named "webgpu": the CPU computes what a device would, so that numbers can be compared to the last bits.
vi.mock('../../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../../runtime/stubProvider.ts');
  return withStub(load);
});

const scratch = mkdtempSync(join(tmpdir(), 'likeness-device-steps-'));
afterAll(() => rmSync(scratch, { recursive: true }));
beforeEach(() => {
  forgetVerdicts();
  keepVerdictsIn(mkdtempSync(join(scratch, 'cache-')));
  setStub('none', 0, 'webgpu');
});

const model = openModel(resolve('test/golden/fixtures/models/tiny-bk'));
const settings = { learningRate: 1e-3, maxGradientNorm: 0.5 };
const many = { timeout: 400_000 };

async function trainerOn(
  provider: ProviderChoice,
  kind: 'lora' | 'full' | 'prodigy' = 'lora',
  precision: Precision = 'f32',
) {
  const part = kind === 'full' ? 'full' : 'lora';
  const { options, feeds } = trainingWork(model, { batch: 2, latents: 8, provider, part });
  const own = {
    optimizer: { ...options.optimizer, optimizer: 'prodigy' as const, stepScale: 10 },
    rateOf: (name: string) => (name.startsWith('unet.') ? 1 : 0.5),
  };
  return { trainer: await Trainer.create({ ...options, precision, ...(kind === 'prodigy' && own) }), feeds };
}

const optimizer = completeSettings(
  finetuneSettings,
  { photos: 'none', classNoun: 'dog' },
  { model: model.path, size: 64 },
);

/** A finetune's loss with a prior and two rows of each kind, and a batch. */
function withPrior() {
  const trained = whatToTrain(model, optimizer);
  const generator = new TorchGenerator(5);
  const tokens = model.textEncoder.config.max_position_embeddings;
  const normal = (): HostTensor<'f32'> => f32([4, 4, 8, 8], generator.randn([4, 4, 8, 8]));
  const column = (values: number[]): HostTensor<'f32'> => f32([4, 1, 1, 1], values);
  const feeds: Feeds = {
    ...{ latents: normal(), noise: normal() },
    timesteps: i64([4], [10, 300, 600, 900]),
    input_ids: i64([4, tokens], generator.randint(0, 300, [4 * tokens])),
    ...{ sample_latents: column([0.9, 0.8, 0.6, 0.3]), sample_noise: column([0.3, 0.6, 0.8, 0.9]) },
    ...{ target_latents: column([0, 0, 0, 0]), target_noise: column([1, 1, 1, 1]) },
  };
  const objective = (provider: ProviderChoice): LossOptions =>
    finetuneObjective(model, trained, { rows: 4, latents: [4, 8, 8], priorWeight: 0.7, provider });
  return { objective, feeds, initial: trained.initial };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

describe('steps on a device', many, () => {
  it.each(['lora', 'full', 'prodigy'] as const)('learn what steps of the CPU do (%s)', async (kind) => {
    const [host, device] = [await trainerOn('cpu', kind), await trainerOn('webgpu', kind)];
    const rate = kind === 'prodigy' ? { ...settings, learningRate: 1 } : settings;
    const averages = [host, device].map(({ trainer }) => trainer.values.slice());
    for (let step = 0; step < 3; step++) {
      // The second step is of two batches.
      const batches = Array.from({ length: step === 1 ? 2 : 1 }, () => host.feeds);
      const [a, b] = [await host.trainer.step(batches, rate), await device.trainer.step(batches, rate)];
      expect(b.loss / a.loss).toBeCloseTo(1, 5);
      expect(b.gradientNorm / a.gradientNorm).toBeCloseTo(1, 4);
      expect(Object.keys(b.metrics)).toEqual(Object.keys(a.metrics));
      await host.trainer.follow(averages[0] as Float32Array, 0.5);
      await device.trainer.follow(averages[1] as Float32Array, 0.5);
    }
    const start = device.trainer.values.slice();
    expect(device.trainer.optimizer.steps).toBe(0);
    await device.trainer.sync();
    expect(device.trainer.optimizer.steps).toBe(3);
    expect(largestDifference(start, device.trainer.values)).toBeGreaterThan(kind === 'prodigy' ? 1e-6 : 1e-3);
    // Adam makes much of the rounding of gradients that are next to nothing.
    expect(largestDifference(host.trainer.values, device.trainer.values)).toBeLessThan(1e-4);
    expect(largestDifference(averages[0] as Float32Array, averages[1] as Float32Array)).toBeLessThan(1e-4);
    const [a, b] = [await host.trainer.measure([host.feeds]), await device.trainer.measure([host.feeds])];
    expect((b['loss'] ?? 0) / (a['loss'] ?? NaN)).toBeCloseTo(1, 5);
    await host.trainer.dispose();
    await device.trainer.dispose();
  });

  it.each(['f32', 'f16'] as const)('go on to the same bits from what was read (%s)', async (precision) => {
    const [whole, first, second] = [
      await trainerOn('webgpu', 'prodigy', precision),
      await trainerOn('webgpu', 'prodigy', precision),
      await trainerOn('webgpu', 'prodigy', precision),
    ];
    // So much that the third step overflows some times.
    for (const { trainer } of [whole, first]) trainer.state['lossScale']?.set([2 ** 20, 1998]);
    for (let step = 0; step < 4; step++) await whole.trainer.step([whole.feeds], settings);
    for (let step = 0; step < 2; step++) await first.trainer.step([first.feeds], settings);
    await first.trainer.sync();
    second.trainer.values.set(first.trainer.values);
    for (const [name, array] of Object.entries(first.trainer.state)) second.trainer.state[name]?.set(array);
    second.trainer.optimizer.steps = first.trainer.optimizer.steps;
    for (let step = 2; step < 4; step++) await second.trainer.step([second.feeds], settings);
    await whole.trainer.sync();
    await second.trainer.sync();
    expect(second.trainer.values).toEqual(whole.trainer.values);
    expect(second.trainer.state).toEqual(whole.trainer.state);
    if (precision === 'f16')
      expect(whole.trainer.state['lossScale']).not.toEqual(Float32Array.of(2 ** 20, 1998));
  });

  it.each(['webgpu', 'cpu'] as const)(
    'in f16 that overflow change nothing, and are taken again with half the scale (%s)',
    async (provider) => {
      const [steady, bold] = [
        await trainerOn(provider, 'lora', 'f16'),
        await trainerOn(provider, 'lora', 'f16'),
      ];
      bold.trainer.state['lossScale']?.set([2 ** 40, 7]);
      const [a, b] = [
        await steady.trainer.step([steady.feeds], settings),
        await bold.trainer.step([bold.feeds], settings),
      ];
      const [scale = 0, since] = bold.trainer.state['lossScale'] ?? [];
      expect(scale).toBeLessThan(2 ** 40);
      expect(scale).toBeGreaterThan(2 ** 16);
      expect(since).toBe(1);
      expect(b.gradientNorm / a.gradientNorm).toBeCloseTo(1, 2);
      await bold.trainer.sync();
      expect(bold.trainer.optimizer.steps).toBe(1);
      expect(bold.trainer.values.every(Number.isFinite)).toBe(true);
      // What is no number whatever it is multiplied by is for the training loop to tell.
      bold.trainer.values.fill(NaN);
      const fresh = await trainerOn(provider, 'lora', 'f16');
      fresh.trainer.values.fill(NaN);
      expect((await fresh.trainer.step([fresh.feeds], settings)).loss).toBeNaN();
    },
  );

  it('that fail are taken again by the CPU, from what was read last', async () => {
    const { trainer, feeds } = await trainerOn('auto');
    await trainer.step([feeds], settings);
    await trainer.sync();
    const kept = trainer.values.slice();
    await trainer.step([feeds], settings);
    setStub('throws', 0, 'webgpu');
    const failure: unknown = await trainer.step([feeds], settings).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StepsLost);
    expect((failure as StepsLost).step).toBe(1);
    expect(trainer.values).toEqual(kept);
    const { loss } = await trainer.step([feeds], settings);
    expect(Number.isFinite(loss)).toBe(true);
    expect(trainer.optimizer.steps).toBe(2);
    await trainer.dispose();
  });

  it('keep less where memory is short, and learn the same', async () => {
    const heard: string[] = [];
    onProviderNotice((sentence) => void heard.push(sentence));
    const [host, device] = [await trainerOn('cpu'), await trainerOn('webgpu')];
    await host.trainer.step([host.feeds], settings);
    setStub('shortOfMemory', 0, 'webgpu');
    const lost: unknown = await device.trainer
      .step([device.feeds], settings)
      .catch((error: unknown) => error);
    expect(lost).toMatchObject({ step: 0 });
    expect(heard.at(-1)).toContain('blocks of the network are computed twice');
    await device.trainer.step([device.feeds], settings);
    await device.trainer.sync();
    expect(device.trainer.optimizer.steps).toBe(1);
    expect(largestDifference(host.trainer.values, device.trainer.values)).toBeLessThan(1e-4);
    // The next time there is nothing left to do but to say what would fit.
    setStub('outOfMemory', 0, 'webgpu');
    await expect(device.trainer.step([device.feeds], settings)).rejects.toMatchObject({
      code: 'provider.outOfMemory',
    });
  });

  it.each(['webgpu', 'dml', 'auto'] as const)(
    'that run out of memory are taken row by row, then with blocks twice, and learn the same (%s)',
    async (provider) => {
      const heard: string[] = [];
      onProviderNotice((sentence) => void heard.push(sentence));
      const name = provider === 'dml' ? 'dml' : 'webgpu';
      setStub('none', 0, name);
      const { objective, feeds, initial } = withPrior();
      const trainer = (on: ProviderChoice): Promise<Trainer> =>
        Trainer.create({ ...objective(on), initial, optimizer });
      const [host, device] = [await trainer('cpu'), await trainer(provider)];
      const expected = await host.step([feeds, feeds], settings);
      setStub('shortOfMemory', 0, name, 2);
      const lost = async (): Promise<unknown> =>
        device.step([feeds, feeds], settings).catch((error: unknown) => error);
      expect(await lost()).toBeInstanceOf(StepsLost);
      expect(await lost()).toBeInstanceOf(StepsLost);
      // A sentence is told once in a process: WebGPU's have been.
      const told = (['provider.byRow', 'provider.byBlock'] as const).map((code) =>
        messages[code]({ provider: name }),
      );
      if (name === 'dml') expect(heard.filter((sentence) => sentence.includes('"dml"'))).toEqual(told);
      else expect(heard).toEqual(expect.arrayContaining(told));
      const found = await device.step([feeds, feeds], settings);
      expect(found.loss / expected.loss).toBeCloseTo(1, 5);
      expect((found.metrics['subject'] ?? 0) / (expected.metrics['subject'] ?? NaN)).toBeCloseTo(1, 5);
      expect(found.gradientNorm / expected.gradientNorm).toBeCloseTo(1, 4);
      await device.sync();
      expect(largestDifference(host.values, device.values)).toBeLessThan(1e-4);
      // Nothing that learns the same is left: the CPU where it may take over, else a sentence.
      setStub('outOfMemory', 0, name);
      const end = await lost();
      if (provider !== 'auto') expect(end).toMatchObject({ code: 'provider.outOfMemory' });
      else {
        expect(end).toMatchObject({ step: 1 });
        expect(heard).toContain(messages['provider.memoryFellBack']({ provider: name }));
        expect(Number.isFinite((await device.step([feeds], settings)).loss)).toBe(true);
      }
      await host.dispose();
      await device.dispose();
    },
  );

  it('are known not to fit before they are tried', async () => {
    const { options } = trainingWork(model, { batch: 2, latents: 8, provider: 'webgpu', part: 'lora' });
    const { held, live, cached } = stepMemory(options, 'webgpu');
    expect(live).toBeLessThan(cached);
    const [plain, frugal] = [false, true].map((twice) => ({ oneRow: false, frugal: twice }));
    expect(await waysThatFit(options, 1.2 * (held + cached))).toEqual([plain, frugal]);
    expect(await waysThatFit(options, 1.05 * (held + cached))).toEqual([frugal]);
    expect(stepMemory({ ...options, frugal: true }, 'webgpu').live).toBeLessThan(0.9 * live);
    // A batch of several rows comes apart first.
    const loss = withPrior().objective('webgpu');
    const byRow = stepMemory((loss.byRow as () => RowLoss)().options, 'webgpu');
    const ways = [
      { oneRow: true, frugal: false },
      { oneRow: true, frugal: true },
    ];
    expect(await waysThatFit(loss, 1.2 * (byRow.held + byRow.cached))).toEqual(ways);
    expect(await waysThatFit(loss, held)).toEqual(ways.slice(1));
  });

  it('count a distillation’s teacher, which is on the device all the time', async () => {
    const teacher = openModel(resolve('test/golden/fixtures/models/tiny-sd1'));
    const { beside, ...alone } = distillObjective(teacher, model, {
      ...{ batch: 1, latents: [4, 8, 8], provider: 'webgpu' },
      ...{ lambdaSd: 1, lambdaOutput: 1, lambdaFeature: 1 },
    });
    expect(beside).toBeDefined();
    const weights = [...unetShapes(teacher.unet.config).values()];
    const bytes = weights.reduce((sum, shape) => sum + 4 * elementCount(shape), 0);
    const way = { oneRow: false, frugal: false };
    for (const target of ['webgpu', 'device'] as const) {
      const together = await bytesOf({ ...alone, ...(beside && { beside }) }, way, target);
      expect(together - (await bytesOf(alone, way, target))).toBeGreaterThan(bytes);
    }
    // So it goes down the ladder where the student alone would fit.
    const memory = (await bytesOf(alone, way, 'webgpu')) / 0.9;
    expect((await waysThatFit(alone, memory))[0]).toEqual(way);
    expect((await waysThatFit({ ...alone, ...(beside && { beside }) }, memory))[0]).not.toEqual(way);
  });

  it('of a provider that was named end in a sentence', async () => {
    const { trainer, feeds } = await trainerOn('webgpu');
    setStub('throws', 0, 'webgpu');
    await expect(trainer.step([feeds], settings)).rejects.toMatchObject({ code: 'provider.failed' });
  });
});

/** A short run of one photo. */
async function shortRun(name: string, own: Partial<FinetuneSettings>) {
  const photos = join(scratch, `photos of ${name}`);
  mkdirSync(photos);
  await sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } }).toFile(
    join(photos, 'red.png'),
  );
  const asked = completeSettings(
    finetuneSettings,
    { ...({ photos, classNoun: 'brick', method: 'lora', prior: null } as const), ...own },
    { model: model.path, size: 32 },
  );
  return { settings: asked, out: join(scratch, name), version: '0', cache: join(scratch, 'class') };
}

it('a run’s samples are drawn alone on the device, and its steps go on as if none were', many, async () => {
  const runWith = async (
    name: string,
    sampleEvery: number | null,
  ): Promise<readonly (readonly number[])[]> => {
    const own = { steps: 4, checkpointEvery: 4, sampleEvery, ema: 0.9, provider: 'webgpu' } as const;
    const [losses, beside]: [number[], number[]] = [[], []];
    const report = (event: JobEvent): void => {
      if (event.type === 'step') losses.push(event.loss);
      if (event.type === 'progress' && event.label === 'samples') beside.push(stubSessions());
    };
    await finetune(await shortRun(name, own), { report, signal: new AbortController().signal });
    return [losses, beside];
  };
  const others = stubSessions();
  const [losses, beside = []] = await runWith('sampled', 2);
  // A released session's weights would stay with any other's.
  expect(Math.max(...beside) - others).toBe(1);
  expect(losses).toHaveLength(4);
  expect(losses).toEqual((await runWith('unseen', null))[0]);
  expect(stubSessions()).toBe(others);
});

it('a run whose device fails comes to its end on the CPU, every step logged once', many, async () => {
  const asked = await shortRun('run', {
    ...({ provider: 'auto', steps: 6, checkpointEvery: 2, ema: 0.9 } as const),
  });
  const events: JobEvent[] = [];
  const report = (event: JobEvent): void => {
    events.push(event);
    // Half a step later.
    if (event.type === 'step' && event.step === 5) setStub('throws', 1, 'webgpu');
  };
  const result = await finetune(asked, { report, signal: new AbortController().signal });
  expect(stubRuns()).toBeGreaterThan(0);
  expect(result.steps).toBe(6);
  // Step 5 was lost with the device: the last state that was read is step 4's.
  expect(events.flatMap((event) => (event.type === 'step' ? [event.step] : []))).toEqual([
    1, 2, 3, 4, 5, 5, 6,
  ]);
  const logged = readFileSync(join(asked.out, 'log.jsonl'), 'utf8').trim().split('\n');
  expect(logged.map((line) => (JSON.parse(line) as StepEvent).step)).toEqual([1, 2, 3, 4, 5, 6]);
});
