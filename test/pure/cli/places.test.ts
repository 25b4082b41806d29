import { homedir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { finetune } from '../../../src-main/cli/commands/finetune.ts';
import { cacheFolder } from '../../../src-main/places.ts';

afterEach(() => vi.unstubAllEnvs());

it('a cache that is named by nothing, or by no absolute folder, is the usual one', () => {
  vi.stubEnv('LOCALAPPDATA', undefined);
  const usual = path.join(homedir(), '.cache', 'likeness');
  for (const [own, system] of [
    ['', undefined],
    ['', ''],
    [undefined, 'relative'],
  ]) {
    vi.stubEnv('LIKENESS_CACHE', own);
    vi.stubEnv('XDG_CACHE_HOME', system);
    expect(cacheFolder()).toBe(usual);
  }
  vi.stubEnv('XDG_CACHE_HOME', path.resolve('/caches'));
  expect(cacheFolder()).toBe(path.resolve('/caches/likeness'));
  vi.stubEnv('LIKENESS_CACHE', 'here');
  expect(cacheFolder()).toBe(path.resolve('here'));
});

it('a word that is too long is told by its option', () => {
  const words = ['--photos', '.', '--out', 'run', '--class'];
  expect(() => finetune.prepare([...words, 'x'.repeat(300)])).toThrow(
    /^--class cannot be "x{100}"; it must be at most 200 long\.$/,
  );
  expect(() => finetune.prepare([...words, 'dog', '--sample-prompt', 'x'.repeat(3000)])).toThrow(
    /^--sample-prompt cannot be "x{100}"; it must be at most 2000 long\.$/,
  );
});
