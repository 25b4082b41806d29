import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captionedPictures } from '../../../../src-main/engine/training/data/captionedPictures.ts';
import { captionOf } from '../../../../src-main/engine/training/data/photoCaptions.ts';
import { readPrompts, readPromptTable } from '../../../../src-main/engine/training/data/promptFiles.ts';
import { readWritten } from '../../../../src-main/engine/training/data/writtenText.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-written-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function put(name: string, bytes: Uint8Array | string): string {
  const file = join(scratch, name);
  writeFileSync(file, bytes);
  return file;
}

const text = 'a dog’s café, {token} {class}';
const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');

describe('text as editors save it', () => {
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16, little-endian', utf16],
    ['UTF-16, big-endian', Buffer.from(utf16).swap16()],
  ])('%s', (_, bytes) => {
    expect(readWritten(put('a.txt', bytes))).toBe(text);
    expect(captionOf(put('a.jpg', '').replace('.txt', '.jpg'))).toBe(text);
  });

  it.each([
    ['Windows-1252', Buffer.from('a dog\x92s caf\xe9', 'latin1')],
    ['Shift-JIS', Buffer.from([0x8c, 0xa2, 0x83, 0x6a])],
    ['UTF-16 without a mark', utf16.subarray(2)],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0', 'latin1')],
    ['UTF-16 that is cut', utf16.subarray(0, 7)],
  ])('%s is refused by name, and never taught as other words', (_, bytes) => {
    const file = put('b.txt', bytes);
    expect(() => readWritten(file)).toThrow(`${file} is not a UTF-8 text file`);
    expect(() => captionOf(file.replace('.txt', '.jpg'))).toThrow('b.txt is not a UTF-8 text file');
  });
});

it.each([
  ['{\\rtf1\\ansi\\ansicpg1252\n\\f0\\fs24 \\cf0 a dog}', 'a document with fonts and layout (RTF)'],
  ['\n<!DOCTYPE html>\n<html><body>a dog', 'a web page'],
])('what is no plain text is called what it is: %j', (bytes, what) => {
  const file = put('document.txt', bytes);
  for (const read of [readWritten, readPrompts])
    expect(() => read(file)).toThrow(
      `${file} is ${what}, not plain text; save its words as plain text (UTF-8).`,
    );
});

describe('a file of prompts', () => {
  it.each([
    ['["a dog", "a cat"]', 'JSON'],
    ['{\n  "prompts": ["a dog"]\n}\n', 'JSON'],
    ['{"file_name": "1.png", "text": "a dog"}\n{"file_name": "2.png", "text": "a cat"}\n', 'JSON'],
    ['\ufefffile_name,text\n1.png,a dog\n', 'a table'],
    ['"file_name"\t"text"\n1.png\ta dog\n', 'a table'],
  ])('that a program lays out is called what it is: %j', (bytes, what) => {
    const file = put('prompts', bytes);
    expect(() => readPrompts(file)).toThrow(
      `${file} is ${what}, and a text file with one prompt per line is needed here`,
    );
  });

  it('may have the line ends of old Macs', () => {
    expect(readPrompts(put('prompts', 'a dog\ra cat\r'))).toEqual(['a dog', 'a cat']);
  });

  it('may have brackets in it', () => {
    const lines = ['[a dog] on a {red|blue} sofa', '{token} {class}', '[1] a dog'];
    expect(readPrompts(put('prompts', lines.join('\n')))).toEqual(lines);
  });
});

it("a caption in a file of kohya's captioner counts where there is no .txt", () => {
  put('c.caption', 'a dog on a sofa\n');
  expect(captionOf(join(scratch, 'c.png'))).toBe('a dog on a sofa');
  put('c.txt', 'a dog on a rug');
  expect(captionOf(join(scratch, 'c.png'))).toBe('a dog on a rug');
  expect(captionOf(join(scratch, 'd.png'))).toBeUndefined();
});

describe('tables as spreadsheets save them', () => {
  it.each([
    ['commas', 'file_name,text\n1.png,"a; b"\n'],
    ['semicolons', 'file_name;text\r\n1.png;a; b\r\n'.replace('a; b', '"a; b"')],
    ['tabs', 'file_name\ttext\n1.png\ta; b\n'],
    ["Excel's first line", 'sep=;\r\nfile_name;text\r\n1.png;"a; b"\r\n'],
    ['line ends of old Macs', 'file_name,text\r1.png,a; b\r'],
  ])('with %s', async (_, table) => {
    const file = put('metadata.csv', table);
    put('1.png', '');
    expect(readPromptTable(file)).toEqual({ prompts: ['a; b'], names: ['1.png'] });
    const { pictures } = await captionedPictures(scratch, scratch);
    expect(pictures).toEqual([{ file: join(scratch, '1.png'), caption: 'a; b' }]);
  });
});
