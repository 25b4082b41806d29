import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenPath } from '../../../src-main/places.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'likeness paths ü '));
const photos = path.join(folder, 'my photos');
const quoted = path.join(folder, '"quoted"');
beforeAll(() => {
  mkdirSync(photos);
  if (process.platform !== 'win32') writeFileSync(quoted, '');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('takes what shells and file managers leave around a path off', () => {
  for (const word of [photos, `${photos} `, `"${photos}"`, ` '${photos}'`, pathToFileURL(photos).href])
    expect(givenPath(word)).toBe(photos);
});

it('~ is the home folder, for what is still to be made too', () => {
  expect(givenPath('~')).toBe(homedir());
  expect(givenPath('~/not there/run')).toBe(path.join(homedir(), 'not there/run'));
});

it.skipIf(process.platform === 'win32')('leaves names alone that are there, or that may be meant', () => {
  expect(givenPath(quoted)).toBe(quoted);
  expect(givenPath(path.join(folder, 'new '))).toBe(path.join(folder, 'new '));
  expect(givenPath('~someone/x')).toBe(path.resolve('~someone/x'));
  expect(givenPath('file://elsewhere/x')).toBe(path.resolve('file://elsewhere/x'));
});

it('finds a name in the other Unicode form', () => {
  const [joined, split] = ['caf\u00e9', 'cafe\u0301'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  mkdirSync(split);
  expect(givenPath(split)).toBe(split);
  // Some systems take both for one name.
  expect(existsSync(givenPath(joined))).toBe(true);
  const below = givenPath(path.join(joined, 'new'));
  expect(below).toBe(path.resolve(path.join(joined, 'new')));
});
