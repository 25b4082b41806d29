import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openedStudio } from './openedStudio.ts';
import { scriptedWorker } from './scriptedWorker.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-leftovers-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The number of a process that is no more. */
const dead = spawnSync(process.execPath, ['--version']).pid;

it('what a killed process left half-written is gone after the next start; what a living one writes stays', async () => {
  const root = path.join(scratch, 'killed', 'library');
  const first = await openedStudio(root);
  const { folder } = await first.ask('subjects.createSample', {});
  await first.close();
  const runs = path.join(root, folder, 'runs');
  const pictures = path.join(root, 'pictures', '2026-11');
  for (const place of [path.join(runs, `.new.${dead}.tmp`, 'photos'), pictures])
    mkdirSync(place, { recursive: true });
  const halves = [
    path.join(pictures, `.1.png.${dead}.tmp`),
    path.join(runs, `.new.${dead}.tmp`, 'photos', '00.jpg'),
    path.join(root, 'exports', `.teddy.safetensors.${dead}.tmp`),
  ];
  const others = [
    path.join(pictures, `.2.png.${process.pid}.tmp`),
    path.join(pictures, `.3.png.${process.ppid}.tmp`),
    path.join(pictures, `notes.${dead}.tmp`),
  ];
  for (const file of [...halves, ...others]) writeFileSync(file, 'half');

  const second = await openedStudio(root);
  await second.ask('library.rescan', {});
  expect(readdirSync(runs)).toEqual([]);
  expect([...halves, ...others].filter((file) => existsSync(file))).toEqual(others);
  await second.close();
});

it('a run is a folder and a row or neither: one that cannot start leaves nothing, one without a job can go on', async () => {
  const root = path.join(scratch, 'halfway', 'library');
  const first = await openedStudio(root);
  const subject = await first.ask('subjects.createSample', {});
  const { photos } = await first.ask('photos.list', { subjectId: subject.id });
  const { undo } = await first.ask('photos.remove', { ids: photos.map(({ id }) => id) });
  const start = { subjectId: subject.id, modelId: null, preset: 'quick' as const };
  await expect(first.ask('training.start', start)).rejects.toThrow(/photos.tooFew/);
  const runs = path.join(root, subject.folder, 'runs');
  expect(existsSync(runs) ? readdirSync(runs) : []).toEqual([]);
  await first.ask('trash.undo', { undo });

  // As if the studio had ended between the two.
  const [preset] = await first.ask('training.presets', { subjectId: subject.id, modelId: null });
  if (!preset) throw new Error('there are no presets');
  const { id } = first.library.runs.create({
    ...{
      subjectId: subject.id,
      name: 'Halfway',
      modelId: null,
      modelName: 'mini',
      settings: preset.settings,
    },
    folder: first.library.folder.claim(`${subject.folder}/runs`, 'halfway'),
  });
  await first.close();

  const second = await openedStudio(
    root,
    scriptedWorker(() => Promise.resolve({ steps: 1, loss: 0.5, checkpoint: '' })),
  );
  expect((await second.ask('training.run', { id })).run).toMatchObject({ state: 'cancelled', jobId: null });
  const { jobId } = await second.ask('training.resume', { id });
  while ((await second.ask('jobs.list', {})).find((job) => job.id === jobId)?.state !== 'done')
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect((await second.ask('training.run', { id })).run).toMatchObject({ state: 'done', step: 1 });
  await second.close();
});
