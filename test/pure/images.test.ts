import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTexts } from '../../src-main/engine/pictures/png.ts';
import { loadPicture } from '../../src-main/engine/pictures/pictures.ts';
import { listPhotos } from '../../src-main/engine/training/data/photoFolder.ts';
import { square } from '../../src-main/engine/training/data/aspectBuckets.ts';
import { loadPhoto } from '../../src-main/engine/training/data/photoPixels.ts';
import { loadMask, masksOf } from '../../src-main/engine/training/data/masks.ts';
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

type TiffEntry = readonly [tag: number, value: number];

/** A little-endian TIFF: 48 bytes from byte 8, then pages one after the other; the first is the page, others hang on it. */
function tiff(...pages: readonly (readonly TiffEntry[])[]): Buffer {
  const parts = pages.map((entries) => {
    const bytes = Buffer.alloc(2 + 12 * entries.length + 4);
    bytes.writeUInt16LE(entries.length, 0);
    entries.forEach(([tag, value], i) => {
      bytes.writeUInt16LE(tag, 2 + 12 * i);
      bytes.writeUInt16LE(4, 4 + 12 * i);
      bytes.writeUInt32LE(1, 6 + 12 * i);
      bytes.writeUInt32LE(value, 10 + 12 * i);
    });
    return bytes;
  });
  return Buffer.concat([Buffer.from([0x49, 0x49, 42, 0, 56, 0, 0, 0]), Buffer.alloc(48, 128), ...parts]);
}

const smallPage: TiffEntry[] = [
  ...[[256, 8] as const, [257, 6] as const, [258, 8] as const, [259, 1] as const, [262, 1] as const],
  ...[[273, 8] as const, [277, 1] as const, [278, 6] as const, [279, 48] as const],
];

/** A TIFF as cameras write it: a thumbnail, and in a sub-page 80 × 60 values of another photometric interpretation. */
const cameraRaw = (photometric: number): Buffer =>
  tiff(
    [[254, 1], ...smallPage, [330, 56 + 2 + 12 * 11 + 4]],
    [...[[254, 0] as const, [256, 80] as const, [257, 60] as const], [262, photometric]],
  );

const floatTiff = tiff([
  ...[[256, 4] as const, [257, 3] as const, [258, 32] as const, [259, 1] as const, [262, 1] as const],
  ...[[273, 8] as const, [277, 1] as const, [278, 3] as const, [279, 48] as const, [339, 3] as const],
]);

function textChunk(type: string, body: Buffer): Buffer {
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  const named = Buffer.concat([Buffer.from(type), body]);
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
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
      ['phone.jpg', '\0\0\0\x18ftypheic\0\0\0\0mif1heic', /^photos\.broken.*phone\.jpg/],
      ['fuji.jpg', 'FUJIFILMCCD-RAW 0201', /^photos\.raw.*fuji\.jpg.*develop/],
      ['canon.CR3', '\0\0\0\x18ftypcrx \0\0\0\x01crx isom', /^photos\.raw.*canon\.CR3/],
      ['nikon.jpg', cameraRaw(0x8023), /^photos\.raw.*nikon\.jpg/],
      ['compressed.tif', cameraRaw(2), /^photos\.raw.*compressed\.tif/],
      ['float.tif', floatTiff, /^photos\.depth.*float\.tif.*8 or 16 bit/],
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

  it('reads bitmaps of every depth, upwards and downwards', async () => {
    const bmp = (bits: number, height: number, body: number[], more: number[] = [], compression = 0) => {
      const head = Buffer.alloc(54);
      head.write('BM');
      head.writeUInt32LE(54 + more.length, 10);
      head.writeUInt32LE(40, 14);
      head.writeInt32LE(2, 18);
      head.writeInt32LE(height, 22);
      head.writeUInt16LE(1, 26);
      head.writeUInt16LE(bits, 28);
      head.writeUInt32LE(compression, 30);
      return Buffer.concat([head, Buffer.from(more), Buffer.from(body)]);
    };
    const palette = [255, 0, 0, 0, 0, 0, 255, 0].concat(Array<number>(4 * 254).fill(7));
    const masks565 = [0, 0xf8, 0, 0, 0xe0, 7, 0, 0, 0x1f, 0, 0, 0];
    // Red and blue above, blue and red below; in the file the lowest row is first where the height is positive.
    const rows: [number, number[], number[], number][] = [
      [1, [0x40, 0, 0, 0, 0x80, 0, 0, 0], palette.slice(0, 8), 0],
      [4, [0x01, 0, 0, 0, 0x10, 0, 0, 0], palette.slice(0, 64), 0],
      [8, [0, 1, 0, 0, 1, 0, 0, 0], palette, 0],
      [16, [0x1f, 0, 0, 0x7c, 0, 0x7c, 0x1f, 0], [], 0],
      [16, [0x1f, 0, 0, 0xf8, 0, 0xf8, 0x1f, 0], masks565, 3],
      [24, [255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0], [], 0],
      [32, [255, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 0, 0, 0], [], 0],
    ];
    const [red, blue] = [
      [255, 0, 0],
      [0, 0, 255],
    ] as const;
    for (const [bits, body, more, compression] of rows) {
      for (const height of [2, -2]) {
        const file = await saved('drawn.bmp', bmp(bits, height, body, more, compression));
        const { data } = await loadPicture(file);
        const upright = [...red, ...blue, ...blue, ...red];
        const turned = [...blue, ...red, ...red, ...blue];
        expect(Array.from(data), `${bits} bits, ${height} high`).toEqual(height > 0 ? upright : turned);
      }
    }
    expect(await failure(loadPicture(await saved('cut.bmp', bmp(24, 9, []))))).toMatch(/^photos\.broken/);
    expect(await failure(loadPicture(await saved('rle.bmp', bmp(8, 2, [0, 1], palette, 1))))).toMatch(
      /^photos\.broken/,
    );
    expect(await failure(loadPicture(await saved('tall.bmp', bmp(24, 1 << 30, []))))).toMatch(
      /^photos\.tooLarge/,
    );
  });

  it('opens no PNG whose texts unpack without end', async () => {
    const png = await plain().png().toBuffer();
    const texts = Array.from({ length: 40 }, (_, i) =>
      textChunk('zTXt', Buffer.concat([Buffer.from(`note${i}\0\0`), deflateSync(Buffer.alloc(1 << 20, 65))])),
    );
    const file = await saved('bomb.png', Buffer.concat([png.subarray(0, 33), ...texts, png.subarray(33)]));
    expect(await failure(loadPicture(file))).toMatch(/^photos\.expands.*bomb\.png.*text/);
    const kept = [...readTexts(await readFile(file)).values()].reduce((sum, { length }) => sum + length, 0);
    expect(kept).toBeLessThanOrEqual(4 << 20);
    const few = await saved(
      'few.png',
      Buffer.concat([png.subarray(0, 33), ...texts.slice(0, 2), png.subarray(33)]),
    );
    expect((await loadPicture(few)).width).toBe(40);
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

describe('masks', () => {
  it('are found whatever the capitals and the Unicode form; a photo that is transparent in part is its own', async () => {
    const place = join(folder, 'masked');
    await mkdir(join(place, 'masks'), { recursive: true });
    const photo = (name: string) => join(place, name);
    const png = await plain().png().toBuffer();
    const half = Buffer.from(Array.from({ length: 64 }, (_, i) => [9, 9, 9, i % 8 < 4 ? 255 : 0]).flat());
    const cut = await sharp(half, { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer();
    const deep = await sharp(cut).toColourspace('rgb16').png().toBuffer();
    const photos = ['b.jpg', 'e\u0301.jpg', 'Same.jpg', 'same.jpg', 'cut.png', 'deep.png', 'plain.png'];
    for (const name of photos)
      await writeFile(photo(name), name === 'cut.png' ? cut : name === 'deep.png' ? deep : png);
    for (const name of ['B.PNG', '\u00e9.png', 'same.png', 'none.png'])
      await writeFile(join(place, 'masks', name), png);
    const { masks, strays } = await masksOf(place, photos.map(photo));
    expect([...masks].map(([one, mask]) => [basename(one), basename(mask)])).toEqual([
      ['b.jpg', 'B.PNG'],
      ['e\u0301.jpg', '\u00e9.png'],
      ['Same.jpg', 'same.png'],
      ['same.jpg', 'same.png'],
      ['cut.png', 'cut.png'],
      ['deep.png', 'deep.png'],
    ]);
    expect(strays.map((file) => basename(file))).toEqual(['none.png']);
    for (const name of ['cut.png', 'deep.png']) {
      const mask = await loadMask(photo(name), photo(name), { width: 8, height: 8 });
      expect([mask.data[0], mask.data[3 * 7]]).toEqual([255, 0]);
    }
  });
});

describe('loadPhoto', () => {
  it('gives values from −1 to 1, channel by channel', async () => {
    const file = await saved('plain.png', await plain().png().toBuffer());
    const photo = await loadPhoto(file, { frame: square(16) });
    expect(photo.length).toBe(3 * 16 * 16);
    expect([photo[0], photo[256], photo[512]].map((value) => Math.round(((value ?? 0) + 1) * 127.5))).toEqual(
      [230, 120, 20],
    );
  });

  it('refuses a strip', async () => {
    const file = await saved('strip.png', await plain(400, 10).png().toBuffer());
    expect(await failure(loadPhoto(file, { frame: square(64) }))).toMatch(
      /^photos\.tooNarrow.*strip\.png is 400 × 10/,
    );
  });
});

describe('listPhotos', () => {
  async function listing(name: string, files: Record<string, Buffer | string>): Promise<string> {
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
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
    const above = await listing('above', {});
    await listing('above/dog', { 'a.jpg': 'a', 'b.HEIC': 'b' });
    expect(await failure(listPhotos(above))).toMatch(/^photos\.inSubfolder.*above.dog has 2/);
    await listing('called/a.jpg', {});
    expect(await failure(listPhotos(join(above, '../called')))).toMatch(/^photos\.none/);
    const kohya = await listing('kohya', {});
    await listing('kohya/10_sks toy dog', { 'a.jpg': 'a' });
    expect(await failure(listPhotos(kohya))).toMatch(
      /^photos\.kohya.*10 repeats.*--token "sks" --class "toy dog"/,
    );
    await listing('kohya/reg/1_dog', { 'a.jpg': 'a' });
    await listing('kohya/__MACOSX/x', { 'a.jpg': 'a' });
    expect(await failure(listPhotos(kohya))).toMatch(/^photos\.kohya/);
    const project = await listing('project', { 'photos.zip': 'PK' });
    await listing('project/img/1_sks dog', { 'a.jpg': 'a' });
    expect(await failure(listPhotos(project))).toMatch(
      /^photos\.kohya.*img.1_sks dog.*\(1 repeat,.*--class "dog"/,
    );
    expect(await failure(listPhotos(project, 'class'))).toMatch(/^photos\.inSubfolder/);
    const two = await listing('two', {});
    await listing('two/dog', { 'a.jpg': 'a' });
    await listing('two/mug', { 'a.jpg': 'a', 'b.jpg': 'b' });
    expect(await failure(listPhotos(two))).toMatch(/^photos\.inSubfolders.*two.dog \(1\), .*two.mug \(2\);/);
    const circle = await listing('circle', {});
    await symlink('.', join(circle, 'again'), 'junction');
    expect(await failure(listPhotos(circle))).toMatch(/^photos\.none/);
    const away = await listing('away', { '.IMG_1.HEIC.icloud': 'bplist', '.notes.txt.icloud': 'bplist' });
    expect(await failure(listPhotos(away))).toMatch(/^photos\.inCloud.*away.IMG_1\.HEIC is in iCloud/);
    expect(await failure(listPhotos(await listing('packed', { 'dog photos.ZIP': 'PK' })))).toMatch(
      /^photos\.inArchive.*dog photos\.ZIP.*unpack it/,
    );
    for (const name of ['a.RAF', 'a.psd', 'a.TGA', 'a.ppm', 'a.exr', 'a.xcf'])
      expect(await failure(listPhotos(await listing(`one ${name}`, { [name]: 'a' })))).toMatch(
        /^photos\.unsupported.*save it as one of these/,
      );
    expect(await failure(listPhotos(join(folder, 'nowhere')))).toMatch(
      /^photos\.noFolder.*nowhere is not there/,
    );
    expect(await failure(listPhotos(await saved('file', 'x')))).toMatch(/^photos\.noFolder.*is a file/);
  });
});
