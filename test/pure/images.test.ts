import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recipe } from '../../src-shared/domain/recipe.ts';
import { encodePng, readRecipe, readTexts } from '../../src-main/engine/pipelines/png.ts';
import { loadPicture } from '../../src-main/engine/pipelines/pictures.ts';
import { listPhotos, loadPhoto } from '../../src-main/engine/training/data/photos.ts';
import { LikenessError } from '../../src-shared/messages/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'likeness phötos '));
});
afterAll(() => rm(folder, { recursive: true }));

const orange = { r: 230, g: 120, b: 20 };
const plain = (width = 40, height = 30) =>
  sharp({ create: { width, height, channels: 3, background: orange } });

async function saved(name: string, bytes: Buffer | string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof LikenessError ? `${error.code}: ${error.message}` : String(error)),
  );

describe('loadPicture', () => {
  const near = (levels: number, [r, g, b]: readonly number[], colour = orange) => {
    expect(Math.abs((r ?? 0) - colour.r)).toBeLessThanOrEqual(levels);
    expect(Math.abs((g ?? 0) - colour.g)).toBeLessThanOrEqual(levels);
    expect(Math.abs((b ?? 0) - colour.b)).toBeLessThanOrEqual(levels);
  };
  it.each([
    ['jpeg', () => plain().jpeg({ quality: 95 }), 4],
    ['png', () => plain().png(), 0],
    ['png with a palette', () => plain().png({ palette: true }), 4],
    ['16-bit png', () => plain().toColourspace('rgb16').png(), 1],
    ['webp', () => plain().webp({ lossless: true }), 0],
    ['avif', () => plain().avif({ quality: 90 }), 4],
    ['tiff', () => plain().tiff({ compression: 'lzw' }), 0],
    ['gif', () => plain().gif(), 4],
    ['CMYK jpeg', () => plain().toColourspace('cmyk').jpeg({ quality: 95 }), 40],
  ] as const)('reads a %s as sRGB bytes, whatever the name', async (kind, make, levels) => {
    const file = await saved(`${kind}.dat`, await make().toBuffer());
    const picture = await loadPicture(file);
    expect([picture.width, picture.height, picture.data.length]).toEqual([40, 30, 3600]);
    near(levels, Array.from(picture.data.subarray(0, 3)));
  });

  it('makes three channels of grey, 8 and 16 bit', async () => {
    for (const colourspace of ['b-w', 'grey16']) {
      const file = await saved(
        `${colourspace}.png`,
        await plain().toColourspace(colourspace).png().toBuffer(),
      );
      const { data } = await loadPicture(file);
      expect(data.length).toBe(3600);
      expect(data[0]).toBe(data[1]);
      expect(data[1]).toBe(data[2]);
    }
  });

  it('lays the transparent on white', async () => {
    const background = { r: 0, g: 0, b: 0, alpha: 0 };
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background } })
      .png()
      .toBuffer();
    expect((await loadPicture(await saved('clear.png', clear))).data.every((value) => value === 255)).toBe(
      true,
    );
  });

  it('takes the first frame of an animation', async () => {
    const frames = [orange, { r: 0, g: 0, b: 255 }].map((background) =>
      sharp({ create: { width: 16, height: 16, channels: 3, background } })
        .png()
        .toBuffer(),
    );
    const animation = await sharp(await Promise.all(frames), { join: { animated: true } })
      .gif()
      .toBuffer();
    const picture = await loadPicture(await saved('moving.gif', animation));
    expect(picture.height).toBe(16);
    near(4, Array.from(picture.data.subarray(0, 3)));
  });

  it('refuses what is broken, names the file and says what to do', async () => {
    const jpeg = await plain(300, 300).jpeg().toBuffer();
    const png = await plain(300, 300).png().toBuffer();
    const cases: [string, Buffer | string, RegExp][] = [
      ['cut.jpg', jpeg.subarray(0, jpeg.length / 2), /^photos\.broken.*cut\.jpg/],
      ['cut.png', png.subarray(0, png.length / 2), /^photos\.broken.*cut\.png/],
      ['head.png', png.subarray(0, 20), /^photos\.broken/],
      ['text.jpg', 'no picture at all', /^photos\.unsupported.*text\.jpg/],
      ['empty.jpg', '', /^photos\.unsupported/],
      ['phone.jpg', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', /^photos\.heic.*phone\.jpg.*JPEG/],
      [
        'vector.svg',
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        /^photos\.unsupported/,
      ],
    ];
    for (const [name, bytes, expected] of cases) {
      expect(await failure(loadPicture(await saved(name, bytes)))).toMatch(expected);
    }
    expect(await failure(loadPicture(join(folder, 'not there.jpg')))).toMatch(
      /^photos\.unreadable.*not there/,
    );
  });

  it('refuses absurd sizes without decoding them', async () => {
    const header = Buffer.from(await plain().png().toBuffer());
    header.writeUInt32BE(60_000, 16);
    header.writeUInt32BE(60_000, 20);
    expect(await failure(loadPicture(await saved('huge.png', header)))).toMatch(/^photos\.(tooLarge|broken)/);
    const huge = await sharp({ create: { width: 16_000, height: 8_000, channels: 3, background: orange } })
      .png()
      .toBuffer();
    expect(await failure(loadPicture(await saved('wide.png', huge)))).toMatch(
      /^photos\.tooLarge.*128 megapixels/,
    );
  });
});

describe('loadPhoto', () => {
  it('gives values from −1 to 1, channel by channel', async () => {
    const file = await saved('plain.png', await plain().png().toBuffer());
    const photo = await loadPhoto(file, { size: 16 });
    expect(photo.length).toBe(3 * 16 * 16);
    expect([photo[0], photo[256], photo[512]].map((value) => Math.round(((value ?? 0) + 1) * 127.5))).toEqual(
      [230, 120, 20],
    );
  });

  it('refuses a strip', async () => {
    const file = await saved('strip.png', await plain(400, 10).png().toBuffer());
    expect(await failure(loadPhoto(file, { size: 64 }))).toMatch(
      /^photos\.tooNarrow.*strip\.png is 400 × 10/,
    );
  });
});

describe('listPhotos', () => {
  async function listing(name: string, files: Record<string, Buffer | string>): Promise<string> {
    const place = join(folder, name);
    await mkdir(place);
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(place, file), bytes);
    return place;
  }

  it('orders as people count and passes over what is no picture', async () => {
    const jpeg = await plain().jpeg().toBuffer();
    const place = await listing('mixed', {
      ...{ '10.jpg': jpeg, '2.PNG': jpeg, '1': jpeg, 'ä 3.jpeg': jpeg },
      ...{ '.hidden.jpg': jpeg, 'notes.txt': 'hello', 'metadata.csv': 'a,b' },
    });
    await mkdir(join(place, 'more.jpg'));
    expect((await listPhotos(place)).map((file) => basename(file))).toEqual([
      '1',
      '2.PNG',
      '10.jpg',
      'ä 3.jpeg',
    ]);
  });

  it('says what is wrong with a folder', async () => {
    expect(await failure(listPhotos(await listing('empty', {})))).toMatch(/^photos\.none.*empty/);
    expect(await failure(listPhotos(await listing('words', { 'a.txt': 'a' })))).toMatch(/^photos\.none/);
    expect(await failure(listPhotos(await listing('fake', { 'a.jpg': 'a' })))).toMatch(
      /^photos\.unsupported.*a\.jpg/,
    );
    expect(await failure(listPhotos(join(folder, 'nowhere')))).toMatch(/^photos\.noFolder.*nowhere/);
    expect(await failure(listPhotos(await saved('file', 'x')))).toMatch(/^photos\.noFolder/);
  });
});

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
    expect(await failure(readRecipe(await saved('bare.png', png)))).toMatch(/^picture\.noRecipe.*bare\.png/);
    expect(await failure(readRecipe(await saved('cut2.png', withText.subarray(0, 60))))).toMatch(
      /^picture\.noRecipe/,
    );
    expect(await failure(readRecipe(await saved('bad.png', bad)))).toMatch(/^picture\.badRecipe.*"steps"/);
    expect(await failure(readRecipe(await saved('a.txt', 'text')))).toMatch(/^picture\.notPng.*a\.txt/);
    expect(await failure(readRecipe(join(folder, 'no.png')))).toMatch(/^picture\.notPng/);
  });
});
