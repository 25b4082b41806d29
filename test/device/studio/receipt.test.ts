import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { libraryFiles } from '../../../src-main/ipc/libraryFiles.ts';
import { pictureFile } from '../../../src-main/ipc/files.ts';
import { exportName, measuredExport, pickedStep } from '../../app/drawn.ts';
import { makeUsedLibrary } from '../../app/usedLibrary.ts';
import { openedStudio } from './openedStudio.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-receipt-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('an export shows how it was tried, the pictures before and after, and leaves with its receipt', async () => {
  const root = path.join(scratch, 'library');
  await makeUsedLibrary(root, 2);
  const studio = await openedStudio(root);
  const [exported] = await studio.ask('exports.list', {});
  const id = exported?.id ?? 0;
  const receipt = await studio.ask('exports.receipt', { id });
  expect(receipt).toMatchObject({ export: exportName, format: 'kohya', step: pickedStep() });
  const { tensors, maxError } = JSON.parse(readFileSync(measuredExport, 'utf8')) as Record<string, number>;
  expect(receipt?.opened).toMatchObject([{ tensors, largestDifference: maxError }]);
  const [names] = receipt?.looked_for ?? [];
  expect(names?.found).toBeGreaterThan(300);
  expect(names?.found).toBe(names?.of);
  expect(receipt?.looked_for[0]?.tools).toContain('ComfyUI');

  const files = libraryFiles(studio.library, path.join(scratch, 'thumbnails'));
  const picture = await pictureFile(files, `/files/receipt/${id}`, null);
  expect(picture).toMatchObject({ status: 200, type: 'image/png' });
  expect(await pictureFile(files, '/files/receipt/99', null)).toMatchObject({ status: 404 });

  const old = studio.library.exports.add({
    ...{ runId: 2, step: pickedStep(), format: 'peft', path: 'exports/older' },
    ...{ bytes: 1, tensors: 1, maxError: 0 },
  });
  expect(await studio.ask('exports.receipt', { id: old.id })).toBeNull();

  const holder = path.dirname(path.join(root, exported?.path ?? ''));
  expect(existsSync(holder)).toBe(true);
  await studio.ask('exports.remove', { id });
  await studio.ask('trash.empty', {});
  expect(existsSync(holder)).toBe(false);
  expect(existsSync(path.join(root, 'exports'))).toBe(true);
  await studio.close();
});
