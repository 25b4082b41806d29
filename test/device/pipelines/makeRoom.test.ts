import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { Networks } from '../../../src-main/engine/pipelines/networks.ts';
import type * as Devices from '../../../src-main/engine/runtime/graphicsDevice.ts';
import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { setStub } from '../runtime/stubProvider.ts';

vi.mock('../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../runtime/stubProvider.ts');
  return withStub(load);
});
const card = { name: 'card', driver: '1', memory: 0, shared: false };
vi.mock('../../../src-main/engine/runtime/graphicsDevice.ts', async (load) => ({
  ...(await load<typeof Devices>()),
  graphicsDevices: () => Promise.resolve([card]),
}));

const cache = mkdtempSync(join(tmpdir(), 'likeness-room-'));
afterAll(() => rmSync(cache, { recursive: true }));
keepVerdictsIn(cache);

it.each<[Provider, number, boolean]>([
  ['dml', 8e9, true],
  ['dml', 24e9, false],
  ['cpu', 8e9, false],
])(
  'on %s with %i bytes the U-Net goes before the decoder comes: %s',
  async (provider, memory, goes) => {
    setStub('none');
    card.memory = memory;
    const networks = new Networks(openModel(resolve('test/golden/fixtures/models/tiny-bk')), { provider });
    const { hidden_size: width, max_position_embeddings: tokens } = networks.model.textEncoder.config;
    const context = f32([1, tokens, width]);
    const predict = () => networks.predict(f32([1, 4, 8, 8]), f32([1], [10]), { context });
    const first = await predict();
    const release = vi.spyOn(networks, 'release');
    await networks.makeRoom('unet');
    expect(release.mock.calls).toEqual(goes ? [['unet']] : []);
    // It is made again when it is called.
    expect(await predict()).toEqual(first);
    await networks.release();
  },
  200_000,
);
