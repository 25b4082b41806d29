import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  forgetTrials,
  keepVerdict,
  keepVerdictsIn,
  keptVerdict,
  markTrial,
} from '../../src-main/engine/runtime/keptVerdicts.ts';

const cache = mkdtempSync(path.join(tmpdir(), 'likeness-verdicts-'));
keepVerdictsIn(cache);
const kept = (): unknown => keptVerdict('webgpu', 'webgpu', 'this card');
const wrong = { provider: 'webgpu', state: 'wrong', error: 0.5 } as const;

it.each([
  '',
  'null',
  '[]',
  '"x"',
  '{"webgpu":7}',
  '{"webgpu":{"on":"this card","verdict":{"state":"right"}}}',
])('a file of verdicts that says %s is no verdict, and is written anew', (text) => {
  writeFileSync(path.join(cache, 'providers.json'), text);
  expect(kept()).toBeUndefined();
  keepVerdict('webgpu', wrong, 'this card');
  expect(kept()).toEqual(wrong);
});

it('a verdict without a number for its error has none, and nothing is left beside the file', () => {
  const lost = { ...wrong, error: NaN };
  keepVerdict('webgpu', lost, 'this card');
  expect(kept()).toEqual(lost);
  expect(keptVerdict('webgpu', 'webgpu', 'another card')).toBeUndefined();
  markTrial('webgpu', 'this card');
  // This process is still trying.
  expect(kept()).toBeUndefined();
  expect(readdirSync(cache)).toEqual(['providers.json']);
});

it('a trial that was stopped from outside is no crash once it is forgotten; verdicts stay', () => {
  keepVerdict('webgpu', wrong, 'this card');
  const gone = { on: 'this card', trying: 2 ** 30 };
  const file = path.join(cache, 'providers.json');
  const before = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...before, 'webgpu f16': gone }));
  const inHalves = (): unknown => keptVerdict('webgpu', 'webgpu f16', 'this card');
  expect(inHalves()).toMatchObject({ state: 'crashed' });
  forgetTrials(cache);
  expect(inHalves()).toBeUndefined();
  expect(kept()).toEqual(wrong);
});
