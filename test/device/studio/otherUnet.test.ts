import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateParts } from '../../../src-main/features/generation/generateParts.ts';
import { generateDefaults } from '../../../src-main/features/generation/request.ts';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { generateJobInput, generateTask } from '../../../src-main/studio/generation/generateJob.ts';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-other-unet-'));
process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const models = path.resolve('test/golden/fixtures/models');
const base = path.join(models, 'tiny-sd1');
const other = path.join(models, 'tiny-bk');
const signal = new AbortController().signal;

it("a picture is drawn with another model's U-Net, as the command line draws it", async () => {
  let next = '';
  const studio = await openedStudio(
    path.join(scratch, 'library'),
    scriptedWorker(async () => (await inspect(next)).report),
  );
  const { ask, library } = studio;
  for (next of [base, other]) {
    const { jobId } = await ask('models.import', { path: next });
    await expect
      .poll(async () => (await ask('jobs.list', {})).find(({ id }) => id === jobId)?.state)
      .toBe('done');
  }
  await ask('settings.update', { provider: 'cpu' });
  const idOf = (place: string): number => library.models.byPath(place)?.id ?? 0;

  const asked = pictures({ modelId: idOf(base), unetId: idOf(other), guidance: 3 });
  const { jobId } = await ask('generation.start', asked);
  const input = generateJobInput.parse(library.jobs.get(jobId).input);
  const made: string[] = [];
  await generateParts(generateTask({ library, shipped: { ...shippedFiles(), version: '1.2.3' } }, input), {
    report: (event) => {
      if (event.type === 'picture') made.push(event.path);
    },
    signal,
  });

  const { images } = await generate(
    {
      ...{ ...generateDefaults, prompts: asked.prompts, steps: asked.steps, seed: 1, guidance: 3 },
      ...{ provider: 'cpu', model: base, unet: other, out: path.join(scratch, 'drawn') },
    },
    { report: () => undefined, signal },
    '1.2.3',
  );
  expect(made).toHaveLength(1);
  expect(readFileSync(made[0] ?? '')).toEqual(readFileSync(images[0]?.path ?? ''));

  await ask('models.remove', { id: idOf(other) });
  await expect(ask('generation.start', asked)).rejects.toThrow('library.gone');
  await studio.close();
});
