import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeMask } from '../../../src-main/features/photos/makeMask.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-make-mask-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('where nothing stands out, no mask is written', async () => {
  // A piece of sky.
  const photo = path.resolve('resources/sample-subject/00.jpg');
  const out = path.join(scratch, 'mask.png');
  const error: unknown = await makeMask({ photo, out, ellipse: '5,5,40,40' }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error instanceof LikenessError && error.code).toBe('mask.nothing');
  expect(existsSync(out)).toBe(false);
});
