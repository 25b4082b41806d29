import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import type { StoredModel } from '../../../../src-main/storage/models.ts';
import { estimatedMemory, fittingSettings } from '../../../../src-main/studio/training/fit.ts';
import { measurementKey } from '../../../../src-main/studio/training/measurementKey.ts';
import { trainingSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-recompute-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const goldens = resolve('test/golden/fixtures/training/lora-epsilon-prior');

it('blocks computed twice give the same weights to the bit', { timeout: 300_000 }, async () => {
  const run = async (recompute: boolean): Promise<Buffer> => {
    const { checkpoint } = await finetune(
      {
        out: join(scratch, String(recompute)),
        resume: false,
        settings: {
          ...{ model: resolve('test/golden/fixtures/models/tiny-bk'), provider: 'cpu', recompute },
          ...{ steps: 2, replay: join(goldens, 'replay.safetensors'), initLora: join(goldens, 'start') },
        },
      },
      { report: () => undefined, signal: new AbortController().signal },
      'test',
    );
    return readFileSync(join(checkpoint, 'unet', 'adapter_model.safetensors'));
  };
  expect(await run(true)).toEqual(await run(false));
});

it('memory that is short is first met by computing blocks twice, and that is measured apart', () => {
  const model = { parameters: 1_000_000_000, hash: 'abc' } as StoredModel;
  const wanted = completeSettings(trainingSettings, { classNoun: 'dog', size: 512 });
  const [whole, twice] = [wanted, { ...wanted, recompute: true }].map((one) =>
    estimatedMemory(one, model, { device: null }),
  );
  const room = { bytes: ((whole ?? NaN) + (twice ?? NaN)) / 2, device: null };
  const fit = fittingSettings(wanted, model, room, () => undefined);
  expect(fit.settings).toEqual({ ...wanted, recompute: true });
  expect(fit.reductions).toEqual(['computes blocks twice, which takes about a third longer']);
  expect(fit.fits).toBe(true);
  expect(measurementKey(model, 'cpu', wanted)).not.toBe(measurementKey(model, 'cpu', fit.settings));
  // A dry run that ran out of memory leads further down.
  const failed = fittingSettings(wanted, model, room, ({ recompute, prior }) =>
    recompute && prior ? null : undefined,
  );
  expect(failed.settings.prior).toBeNull();
});
