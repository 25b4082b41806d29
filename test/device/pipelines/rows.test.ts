import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { Networks } from '../../../src-main/engine/pipelines/networks.ts';
import { forgetVerdicts } from '../../../src-main/engine/runtime/chooseProvider.ts';
import type * as Devices from '../../../src-main/engine/runtime/graphicsDevice.ts';
import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { onProviderNotice } from '../../../src-main/engine/runtime/notices.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { elementCount, type HostTensor, type Shape } from '../../../src-main/engine/tensor/tensor.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { messages } from '../../../src-shared/messages/index.ts';
import { setStub, stubRuns } from '../runtime/stubProvider.ts';

vi.mock('../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../runtime/stubProvider.ts');
  return withStub(load);
});
const card = { name: 'card', driver: '1', memory: 0, shared: false };
vi.mock('../../../src-main/engine/runtime/graphicsDevice.ts', async (load) => ({
  ...(await load<typeof Devices>()),
  graphicsDevices: () => Promise.resolve([card]),
}));

const scratch = mkdtempSync(join(tmpdir(), 'likeness-rows-'));
afterAll(() => rmSync(scratch, { recursive: true }));
beforeEach(() => {
  forgetVerdicts();
  keepVerdictsIn(mkdtempSync(join(scratch, 'cache-')));
  setStub('none');
});

const model = openModel(resolve('test/golden/fixtures/models/tiny-bk'));
const { hidden_size: width, max_position_embeddings: tokens } = model.textEncoder.config;
const generator = new TorchGenerator(3);
const normal = (shape: Shape): HostTensor<'f32'> => ({
  dtype: 'f32',
  shape,
  data: generator.randn([elementCount(shape)]),
});
const [sample, context] = [normal([4, 4, 8, 8]), normal([4, tokens, width])];
const timesteps = { dtype: 'f32', shape: [4], data: Float32Array.of(7, 300, 600, 981) } as const;
const four = (networks: Networks): Promise<HostTensor<'f32'>> =>
  networks.predict(sample, timesteps, { context });

/** Runs on the device that a call of four rows takes after the provider's trial, and its result. */
async function callOn(provider: ProviderChoice, fault?: () => void) {
  const networks = new Networks(model, { provider });
  await networks.predict(normal([1, 4, 8, 8]), normal([1]), { context: normal([1, tokens, width]) });
  const before = stubRuns();
  fault?.();
  const found = await four(networks);
  const runs = stubRuns() - (fault ? 0 : before);
  await networks.release();
  return { found, runs };
}

function expectSame({ shape, data }: HostTensor<'f32'>, expected: HostTensor<'f32'>): void {
  expect(shape).toEqual(expected.shape);
  data.forEach((value, i) => expect(Math.abs(value - (expected.data[i] as number))).toBeLessThan(1e-5));
}

describe('a batch of the U-Net', () => {
  it.each([
    ['at once where there is memory', 24e9, 1],
    ['row by row where there is little', 1e6, 4],
  ])('is computed %s, to the same numbers', async (_, memory, runs) => {
    card.memory = memory;
    const expected = await callOn('cpu');
    expect(expected.runs).toBe(0);
    const device = await callOn('dml');
    expect(device.runs).toBe(runs);
    expectSame(device.found, expected.found);
  });

  it.each(['dml', 'auto'] as const)(
    'is computed row by row when a device runs out of memory, and not by the CPU (%s)',
    async (provider) => {
      card.memory = 24e9;
      const heard: string[] = [];
      onProviderNotice((sentence) => void heard.push(sentence));
      const expected = await callOn('cpu');
      const { found, runs } = await callOn(provider, () => setStub('shortOfMemory'));
      // The one that fails, then one for each row.
      expect(runs).toBe(5);
      expectSame(found, expected.found);
      expect(heard).toContain(messages['provider.byPicture']({ provider: 'dml' }));
      expect(heard).not.toContain(messages['provider.memoryFellBack']({ provider: 'dml' }));
    },
  );

  it('is left to the CPU where no row fits, if the provider was not named', async () => {
    card.memory = 24e9;
    const expected = await callOn('cpu');
    expectSame((await callOn('auto', () => setStub('outOfMemory'))).found, expected.found);
    await expect(callOn('dml', () => setStub('outOfMemory'))).rejects.toMatchObject({
      code: 'provider.outOfMemory',
    });
  });
});
