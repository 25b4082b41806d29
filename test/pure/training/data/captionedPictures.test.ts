import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pack } from 'tar-stream';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { buffer } from 'node:stream/consumers';
import { firstChange } from '../../../../src-main/engine/training/data/photoHashes.ts';
import { photoPrompt } from '../../../../src-main/engine/training/data/prompts.ts';
import { captionedPictures } from '../../../../src-main/engine/training/data/captionedPictures.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-captions-'));
const cache = join(scratch, 'cache');

function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(scratch, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

async function read(data: string) {
  const { pictures, skipped } = await captionedPictures(data, cache);
  return { pictures: pictures.map(({ file, caption }) => [basename(file), caption]), skipped };
}

it('reads metadata.csv, with commas, quotes, line breaks and a byte order mark', async () => {
  const table = '\ufefffile_name,text\r\n2.png,"a dog, ""Rex"""\n10.png,"two\nlines"\nnone.png,gone\n';
  const path = folder('table', { '2.png': 'x', '10.png': 'x', 'metadata.csv': table });
  const { pictures, skipped } = await read(path);
  expect(pictures).toEqual([
    ['2.png', 'a dog, "Rex"'],
    ['10.png', 'two\nlines'],
  ]);
  expect(skipped).toEqual([`${join(path, 'none.png')}: is not there`]);
});

it('reads a .txt beside each picture', async () => {
  const path = folder('beside', {
    '10.jpg': 'x',
    '10.txt': 'ten\n',
    '9.webp': 'x',
    '9.txt': 'nine',
    '8.png': 'x',
  });
  const { pictures, skipped } = await read(path);
  expect(pictures).toEqual([
    ['9.webp', 'nine'],
    ['10.jpg', 'ten'],
  ]);
  expect(skipped).toHaveLength(1);
});

it('reads metadata.jsonl, an object a line', async () => {
  const lines =
    '{"file_name":"a.png","text":"a dog, \\"Rex\\"","width":8}\n\n{"file_name":"b.png","text":"b"}\n';
  const path = folder('lines', { 'a.png': 'x', 'b.png': 'x', 'metadata.jsonl': lines });
  expect((await read(path)).pictures).toEqual([
    ['a.png', 'a dog, "Rex"'],
    ['b.png', 'b'],
  ]);
  const cut = folder('cut lines', { 'a.png': 'x', 'metadata.jsonl': lines.slice(0, 20) });
  await expect(read(cut)).rejects.toThrow(/metadata\.jsonl.*line 1 is not/);
});

it('finds names in capitals and in the other Unicode form', async () => {
  const [joined, split] = ['caf\u00e9', 'cafe\u0301'];
  const beside = folder('forms', {
    'IMG_1.JPG': 'x',
    'img_1.TXT': 'one',
    [`${split}.png`]: 'x',
    [`${joined}.txt`]: 'two',
  });
  expect((await read(beside)).skipped).toEqual([]);
  const table = folder('table in another form', {
    [`${split}.png`]: 'x',
    'metadata.csv': `file_name,text\n${joined}.png,a cup\n`,
  });
  const { pictures, skipped } = await read(table);
  expect(skipped).toEqual([]);
  expect(pictures.map(([, caption]) => caption)).toEqual(['a cup']);
});

it('a run whose photos came from another system is the same run', () => {
  const [joined, split] = ['caf\u00e9.jpg', 'cafe\u0301.jpg'];
  expect(firstChange({ [split]: 'a' }, { [joined]: 'a' })).toBeUndefined();
  expect(firstChange({ [split]: 'a' }, { [joined]: 'b' })?.how).toBe('is another picture now');
  // Where both are there, they are two photos.
  const both = { [split]: 'a', [joined]: 'b' };
  expect(firstChange(both, both)).toBeUndefined();
  expect(firstChange(both, { [joined]: 'b' })?.how).toBe('is gone');
  const settings = { token: 'sks', classNoun: 'cup', photoCaptions: { [split]: 'my {token} {class}' } };
  expect(photoPrompt(settings, joined)).toBe('my sks cup');
});

it('unpacks WebDataset shards, and writes nothing outside of its folder', async () => {
  const tar = pack();
  tar.entry({ name: 'a/0001.jpg' }, 'x');
  tar.entry({ name: 'a/0001.txt' }, 'first');
  tar.entry({ name: 'a/0001.json' }, '{}');
  tar.entry({ name: '../0002.png' }, 'x');
  tar.entry({ name: '../0002.txt' }, 'second');
  tar.finalize();
  const path = folder('shards', {});
  writeFileSync(join(path, '00000.tar'), await buffer(tar));
  const { pictures } = await read(path);
  expect(pictures.map(([, caption]) => caption).sort()).toEqual(['first', 'second']);
  expect(await read(join(path, '00000.tar'))).toEqual(await read(path));
});

it('gives names that no file system takes shorter ones, and keeps pairs together', async () => {
  const tar = pack();
  const long = `${'ä'.repeat(100)}/${'b'.repeat(120)}`;
  tar.entry({ name: `${long}.jpg` }, 'x');
  tar.entry({ name: `${long}.txt` }, 'long');
  tar.finalize();
  const path = folder('long', {});
  writeFileSync(join(path, '0.tar'), await buffer(tar));
  const { pictures } = await read(path);
  expect(pictures.map(([name, caption]) => [String(name).length < 60, caption])).toEqual([[true, 'long']]);
});

it.each([
  ['a compressed one', (tar: Buffer) => gzipSync(tar, { level: 0 }), 'it is no tar, or a compressed one'],
  ['a cut one', (tar: Buffer) => tar.subarray(0, 700), 'it is cut off'],
  [
    'a header without end',
    (tar: Buffer) => {
      // The size of a pax header, in octal: 8 GB.
      tar.write('77777777777 ', 124);
      tar.write('x', 156);
      tar.fill(' ', 148, 156);
      const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return tar;
    },
    'one of its headers is over 4 MB',
  ],
])('says what is wrong with a tar: %s', async (name, change, why) => {
  const tar = pack();
  tar.entry({ name: 'a.jpg' }, 'x'.repeat(600));
  tar.finalize();
  const file = join(scratch, `${name}.tar`);
  writeFileSync(file, change(await buffer(tar)));
  await expect(read(file)).rejects.toThrow(`${file} can't be unpacked (${why})`);
});

it('says what is wrong with a table, a shard, a path', async () => {
  const table = folder('columns', { 'metadata.csv': 'name,words\n1.png,x\n' });
  await expect(read(table)).rejects.toMatchObject({ code: 'data.table' });
  const shard = folder('cut', { '0.tar': 'x'.repeat(700) });
  await expect(read(shard)).rejects.toMatchObject({ code: 'data.tar' });
  await expect(read(join(scratch, 'nowhere'))).rejects.toMatchObject({ code: 'data.missing' });
});
