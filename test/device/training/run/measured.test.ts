import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import type { JobEvent, StepEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { finetune } from '../../../../src-main/engine/training/run/finetune.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-measured-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('a run tells its loss on the same noise before and after, and that has fallen', async () => {
  const photos = join(scratch, 'photos');
  mkdirSync(photos);
  for (const background of ['red', 'orange'])
    await sharp({ create: { width: 32, height: 32, channels: 3, background } }).toFile(
      join(photos, `${background}.png`),
    );
  const events: JobEvent[] = [];
  const steps = 40;
  const settings = completeSettings(
    finetuneSettings,
    {
      ...({ photos, classNoun: 'brick', method: 'full', provider: 'cpu', learningRate: 3e-3 } as const),
      ...{ steps, prior: { weight: 0.5, classImages: 1 }, checkpointEvery: steps, sampleEvery: undefined },
    },
    { model: resolve('test/golden/fixtures/models/tiny-bk'), size: 32 },
  );
  const out = join(scratch, 'run');
  const report = (event: JobEvent) => void events.push(event);
  await finetune(
    { settings, out, version: '0', cache: join(scratch, 'cache') },
    { report, signal: new AbortController().signal },
  );

  const measured = events.flatMap((event) => (event.type === 'measured' ? event : []));
  expect(measured.map(({ step }) => step)).toEqual([0, steps]);
  expect(measured[1]?.loss).toBeLessThan(0.8 * (measured[0]?.loss ?? 0));
  const logged = readFileSync(join(out, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StepEvent);
  expect(logged.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  const tenth = logged.slice(0, 10);
  expect(tenth[9]?.smoothed).toBeCloseTo(
    tenth.reduce((sum, { loss }) => sum + loss / 10, 0),
    10,
  );
  expect(tenth.every(({ loss, subject = NaN }) => subject < loss)).toBe(true);
});
