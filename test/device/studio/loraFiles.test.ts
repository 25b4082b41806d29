import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';
import { shippedFiles } from '../../../src-main/shipped.ts';
import { generateJobInput, generateTask } from '../../../src-main/studio/generation/generateJob.ts';
import { pictures } from '../../pictureRequest.ts';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-loras-'));
const root = path.join(scratch, 'library');
const fixtures = path.resolve('test/golden/fixtures/checkpoints');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('LoRA files and embeddings of other tools are imported, named in prompts, drawn with, and come back from the trash', async () => {
  let next = '';
  const studio = await openedStudio(
    root,
    scriptedWorker(async () => (await inspect(next)).report),
  );
  const { ask, library } = studio;
  const add = async (file: string): Promise<void> => {
    next = file;
    const { jobId } = await ask('models.import', { path: file });
    const job = async () => (await ask('jobs.list', {})).find(({ id }) => id === jobId);
    while (!['done', 'failed'].includes((await job())?.state ?? ''))
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await job()).toMatchObject({ state: 'done', error: null });
  };
  const style = path.join(scratch, 'my style.safetensors');
  copyFileSync(path.join(fixtures, 'lora-diffusers.safetensors'), style);
  await add(style);
  await add(path.join(fixtures, 'lora-kinds', 'dora'));
  await add(path.join(fixtures, 'embeddings', 'web-ui.pt'));
  const list = await ask('loras.list', {});
  expect(list.map(({ kind, available }) => [kind, available])).toEqual([
    ['embedding', true],
    ['lora', true],
    ['lora', true],
  ]);
  const [embedding, dora, plain] = list;
  expect(embedding?.words).toHaveLength(1);
  expect(dora?.about).toContain('DoRA');
  expect(plain).toMatchObject({ name: 'my style', path: style });
  expect((await ask('models.list', {})).map(({ source }) => source)).toEqual(['shipped']);

  const input = generateJobInput.parse({
    ...pictures({
      promptRules: 'a1111',
      clipSkip: 1,
      files: [plain, embedding].map((file) => ({ id: file?.id ?? 0, weight: 0.5 })),
      prompts: ['a dog <lora:my style:0.3>'],
    }),
    ...{ seed: 1, done: 0 },
  });
  const { parts } = generateTask({ library, shipped: shippedFiles() }, input);
  expect(parts[0]?.request.loras).toEqual([{ path: style, weight: 0.5 }]);
  expect(parts[0]?.request.clipSkip).toBe(1);
  expect(parts[0]?.request.embeddings).toEqual([{ path: embedding?.path }]);
  expect(parts[0]?.request.named?.others).toContainEqual({ name: 'my style', path: style });

  await ask('loras.rename', { id: plain?.id ?? 0, name: 'Ink' });
  const { undo } = await ask('loras.remove', { id: plain?.id ?? 0 });
  expect(await ask('loras.list', {})).toHaveLength(2);
  expect((await ask('trash.list', {})).removals).toMatchObject([{ kind: 'loras', name: 'Ink' }]);
  await ask('trash.undo', { undo });
  expect((await ask('loras.list', {})).map(({ name }) => name)).toContain('Ink');
  rmSync(style);
  await expect(
    ask('generation.start', pictures({ files: [{ id: plain?.id ?? 0, weight: 1 }] })),
  ).rejects.toThrow('my style');
  await studio.close();
});
