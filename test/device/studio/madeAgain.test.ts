import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateParts } from '../../../src-main/features/generation/generateParts.ts';
import { generateDefaults } from '../../../src-main/features/generation/request.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { generateJobInput, generateTask } from '../../../src-main/studio/generation/generateJob.ts';
import type { WorkerEvent } from '../../../src-shared/domain/workerMessages.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-made-again-'));
const cache = path.join(scratch, 'cache');
process.env['LIKENESS_CACHE'] = cache;
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a picture is made again with all that its recipe says, by the model that drew it or not at all', async () => {
  const root = path.join(scratch, 'library');
  const pictures = path.join(root, 'pictures');
  mkdirSync(pictures, { recursive: true });
  const signal = new AbortController().signal;
  const { images } = await generate(
    {
      ...{ ...generateDefaults, prompts: ['a dog'], steps: 3, seed: 3, clipSkip: 1, provider: 'cpu' },
      ...{ model: path.resolve('test/golden/fixtures/models/tiny-bk'), out: path.join(scratch, 'drawn') },
    },
    { report: () => undefined, signal },
    '1.2.3',
  );
  const drawn = images[0]?.path ?? '';
  copyFileSync(drawn, path.join(pictures, 'from the command line.png'));

  const studio = await openedStudio(
    root,
    scriptedWorker(() => Promise.resolve(undefined)),
  );
  const { ask, library } = studio;
  await ask('settings.update', { provider: 'cpu' });
  await ask('library.rescan', {});
  const [image] = (await ask('gallery.page', { filter: {} })).images;
  const again = async (): Promise<WorkerEvent[]> => {
    const { jobId } = await ask('generation.again', { imageId: image?.id ?? 0 });
    const input = generateJobInput.parse(library.jobs.get(jobId).input);
    const said: WorkerEvent[] = [];
    const report = (event: WorkerEvent): void => void said.push(event);
    const task = generateTask({ library, shipped: { ...shippedFiles(), version: '1.2.3' } }, input);
    await generateParts(task, { report, signal });
    return said;
  };
  const made = (await again()).flatMap((event) => (event.type === 'picture' ? [event.path] : []));
  expect(made).toHaveLength(1);
  expect(made[0]?.startsWith(pictures)).toBe(true);
  expect(readFileSync(made[0] ?? '')).toEqual(readFileSync(drawn));

  for (const note of readdirSync(path.join(cache, 'places'))) rmSync(path.join(cache, 'places', note));
  const error: unknown = await again().catch((thrown: unknown) => thrown);
  expect(error instanceof LikenessError && error.code).toBe('recipe.lost');
  await studio.close();
});
