import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { keepHashesIn } from '../../../../src-main/engine/checkpoints/contentHash.ts';
import { writeSafetensors } from '../../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { automaticMasks } from '../../../../src-main/engine/training/data/automaticMasks.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-kept-masks-'));
const cache = join(scratch, 'cache');
const photo = join(scratch, 'photo.png');
const kept = (): string[] => (existsSync(join(cache, 'masks')) ? readdirSync(join(cache, 'masks')) : []);

/** A red disc on green, so large. */
async function drawPhoto(radius: number): Promise<void> {
  const [side, middle] = [96, 48];
  const data = Buffer.alloc(3 * side * side);
  for (let at = 0; at < side * side; at++) {
    const isIn = Math.hypot((at % side) - middle, Math.floor(at / side) - middle) < radius;
    data.set(isIn ? [200, 40, 40] : [40, 160, 60], 3 * at);
  }
  await sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(photo);
}

const whites = async (file = photo): Promise<number | undefined> =>
  (await automaticMasks([file])).get(file)?.data.filter((value) => value === 255).length;

describe('automatic masks are kept', () => {
  beforeEach(async () => {
    rmSync(cache, { recursive: true, force: true });
    keepHashesIn(cache);
    await drawPhoto(24);
  });
  afterAll(() => {
    keepHashesIn(join(tmpdir(), 'nowhere'));
    rmSync(scratch, { recursive: true });
  });

  it('by content: another name finds them, another picture does not', async () => {
    const found = await whites();
    expect(found).toBeGreaterThan(3 * 1000);
    expect(kept()).toHaveLength(1);
    const copy = join(scratch, 'copy.png');
    cpSync(photo, copy);
    expect(await whites(copy)).toBe(found);
    expect(kept()).toHaveLength(1);
    await drawPhoto(36);
    expect(await whites()).toBeGreaterThan(found ?? 0);
    expect(kept()).toHaveLength(2);
  });

  it('and read: what is kept is what comes back; a damaged file is found anew', async () => {
    const found = await whites();
    const file = join(cache, 'masks', kept()[0] ?? '');
    const data = new Uint8Array(96 * 96).fill(255);
    writeSafetensors(file, [{ name: '0', tensor: { dtype: 'u8', shape: [96, 96], data } }]);
    expect(await whites()).toBe(3 * 96 * 96);
    writeFileSync(file, 'damaged');
    expect(await whites()).toBe(found);
  });

  it('also that nothing stands out', async () => {
    await drawPhoto(0);
    expect(await whites()).toBeUndefined();
    expect(kept()).toHaveLength(1);
    expect(await whites()).toBeUndefined();
  });
});
