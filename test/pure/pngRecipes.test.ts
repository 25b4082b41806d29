import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import { encodePng, readRecipe, readTexts } from '../../src-main/engine/pictures/png.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'likeness recipes '));
});
afterAll(() => rm(folder, { recursive: true }));

async function saved(name: string, bytes: Buffer | string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

describe('PNG recipes', () => {
  const recipe: Recipe = {
    version: '0.1.0',
    model: { name: 'tiny', path: '../tiny', hash: 'abcdef0123456789' },
    loras: [{ path: '../run/dog.safetensors', hash: '12', weight: 0.75 }],
    ...{ prompt: 'a photo of sks dog, ~ünïcode 狗 🐶', negative: 'blurry\nbad', seed: 4294967295, steps: 25 },
    ...{ guidance: 7.5, scheduler: 'euler-a', width: 5, height: 3 },
  };
  const picture = { width: 5, height: 3, data: Uint8Array.from({ length: 45 }, (_, i) => (i * 97) % 256) };

  it('come back as they were, and the pixels with them', async () => {
    const bytes = await encodePng(picture, recipe);
    expect(await readRecipe(await saved('recipe.png', bytes))).toEqual(recipe);
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([5, 3, 3]);
    expect(new Uint8Array(data)).toEqual(picture.data);
  });

  it('of other programs are called theirs', async () => {
    const plain = await encodePng(picture);
    const withText = (keyword: string, text: string): Buffer => {
      const body = Buffer.from(`tEXt${keyword}\0${text}`, 'latin1');
      const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
      length.writeUInt32BE(body.length - 4);
      check.writeUInt32BE(crc32(body));
      return Buffer.concat([plain.subarray(0, 33), length, body, check, plain.subarray(33)]);
    };
    for (const [keyword, program] of [
      ['workflow', 'ComfyUI'],
      ['parameters', "AUTOMATIC1111's web UI"],
      ['invokeai_metadata', 'InvokeAI'],
    ] as const)
      await expect(readRecipe(await saved(`${keyword}.png`, withText(keyword, '{}')))).rejects.toThrow(
        `no Likeness recipe, only settings of ${program}`,
      );
    await expect(readRecipe(await saved('plain.png', plain))).rejects.toThrow(/no Likeness recipe;/);
  });

  it('carry the lines other tools read', async () => {
    const text = readTexts(await encodePng(picture, recipe)).get('parameters');
    expect(text).toBe(
      'a photo of sks dog, ~ünïcode 狗 🐶 <lora:dog:0.75>\nNegative prompt: blurry\nbad\nSteps: 25, Sampler: Euler a, ' +
        'CFG scale: 7.5, Seed: 4294967295, Size: 5x3, Model hash: abcdef0123, Model: tiny, Version: Likeness 0.1.0',
    );
  });

  it('say so where the guidance was more than the plain one', async () => {
    const guided = { ...recipe, baseGuidance: 3, guidanceStop: 0.6 };
    const png = await encodePng(picture, guided);
    expect(readTexts(png).get('parameters')).toMatch(
      /Version: Likeness 0\.1\.0, Base guidance: 3, Guidance stop: 0\.6$/,
    );
    expect(await readRecipe(await saved('guided.png', png))).toEqual(guided);
  });

  it('are read from compressed chunks too', async () => {
    const png = await encodePng(picture);
    const body = Buffer.concat([
      Buffer.from('likeness\0\x01\0\0\0', 'latin1'),
      deflateSync(JSON.stringify(recipe)),
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const chunk = Buffer.concat([length, Buffer.from('iTXt'), body, Buffer.alloc(4)]);
    const file = await saved('zipped.png', Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]));
    expect(await readRecipe(file)).toEqual(recipe);
  });

  it('are missed where there are none', async () => {
    const png = await encodePng(picture);
    const withText = await encodePng(picture, recipe);
    const bad = Buffer.from(withText.toString('latin1').replace('"steps":25', '"steps":-5'), 'latin1');
    const refused = async (file: string, code: string, words: string): Promise<void> => {
      await expect(readRecipe(file)).rejects.toMatchObject({ code });
      await expect(readRecipe(file)).rejects.toThrow(words);
    };
    await refused(await saved('bare.png', png), 'picture.noRecipe', 'bare.png');
    await refused(await saved('cut2.png', withText.subarray(0, 60)), 'picture.noRecipe', 'cut2.png');
    await refused(await saved('bad.png', bad), 'picture.badRecipe', '"steps"');
    await refused(await saved('a.txt', 'text'), 'picture.notPng', 'a.txt');
    await refused(join(folder, 'no.png'), 'picture.notPng', 'no.png');
  });
});
