import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepHashesIn, rememberedHash } from '../../../src-main/engine/checkpoints/contentHash.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { hasHash, modelHash } from '../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { chunksOf } from '../../../src-main/engine/checkpoints/weights.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const original = join(import.meta.dirname, '../../golden/fixtures/models/tiny-sd1');
/** Of the same model, by the rule that looked at the ends of tensors alone. */
const former = 'c95f2d88cdeb292d';

let scratch: string;
beforeEach(() => (scratch = mkdtempSync(join(tmpdir(), 'likeness-hash-'))));
afterEach(() => {
  vi.useRealTimers();
  rmSync(scratch, { recursive: true });
});

/** As if all files had been there for a while. */
const later = () => vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] });

/** The middle of the U-Net's largest tensor. */
function middle(model: Model): { file: string; at: number } {
  const { weights } = model.unet;
  const [largest] = weights
    .names()
    .map((name) => weights.get(name) as FileTensor)
    .sort((a, b) => b.byteLength - a.byteLength);
  const { file, offset, byteLength } = largest as FileTensor;
  return { file, at: offset + (byteLength >> 1) };
}

/** Zeroes bytes and leaves size and time as they were. */
function zero({ file, at }: { file: string; at: number }, length: number): void {
  const { atime, mtime } = statSync(file);
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, new Uint8Array(length), 0, length, at);
  closeSync(descriptor);
  utimesSync(file, atime, mtime);
}

describe('modelHash', () => {
  it('sees a single byte inside the U-Net, with the size and the time of the file unchanged', () => {
    const folder = join(scratch, 'model');
    cpSync(original, folder, { recursive: true });
    later();
    const before = modelHash(openModel(folder));
    expect(modelHash(openModel(folder))).toBe(before);
    zero(middle(openModel(folder)), 1);
    expect(modelHash(openModel(folder))).not.toBe(before);
  });

  it('is SHA-256 over the tensors in the order of their names, wherever they lie', () => {
    const model = openModel(original);
    const hash = createHash('sha256');
    for (const { weights } of [model.unet, model.vae, model.textEncoder])
      for (const name of weights.names().sort()) {
        const entry = weights.get(name) as FileTensor;
        const bytes = createHash('sha256');
        for (const chunk of chunksOf(entry)) bytes.update(chunk);
        hash.update(`${name} ${entry.dtype} ${entry.shape.join('x')} ${bytes.digest('hex')}\n`);
      }
    expect(modelHash(model)).toBe(hash.digest('hex').slice(0, 32));
  });

  it('knows the hash that an older version gave the model', () => {
    const model = openModel(original);
    expect(hasHash(model, former)).toBe(true);
    expect(hasHash(model, modelHash(model))).toBe(true);
    expect(
      hasHash(
        model,
        former.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
      ),
    ).toBe(false);
    expect(hasHash(model, '')).toBe(false);
  });
});

describe('a remembered hash', () => {
  afterAll(() => keepHashesIn(join(tmpdir(), 'nowhere')));
  const ask = (file: string, hash: string) => {
    const compute = vi.fn(() => hash.padEnd(32, '0'));
    return {
      hash: rememberedHash([file], 'a test', compute).slice(0, 1),
      computed: compute.mock.calls.length,
    };
  };

  it('is computed once, and again when the file changes', () => {
    const file = join(scratch, 'file');
    writeFileSync(file, 'one');
    later();
    expect(ask(file, 'a')).toEqual({ hash: 'a', computed: 1 });
    expect(ask(file, 'b')).toEqual({ hash: 'a', computed: 0 });
    zero({ file, at: 0 }, 1);
    expect(ask(file, 'b')).toEqual({ hash: 'b', computed: 1 });
  });

  it('is not trusted of a file that was written this moment', () => {
    const file = join(scratch, 'file');
    writeFileSync(file, 'one');
    expect(ask(file, 'a')).toEqual({ hash: 'a', computed: 1 });
    expect(ask(file, 'b')).toEqual({ hash: 'b', computed: 1 });
  });

  it('is there for the next process', async () => {
    const [file, cache] = [join(scratch, 'file'), join(scratch, 'cache')];
    writeFileSync(file, 'one');
    later();
    keepHashesIn(cache);
    expect(ask(file, 'a').computed).toBe(1);
    const kept = readdirSync(join(cache, 'hashes'));
    expect(kept.map((name) => readFileSync(join(cache, 'hashes', name), 'utf8'))).toEqual([
      'a'.padEnd(32, '0'),
    ]);
    vi.resetModules();
    const next = await import('../../../src-main/engine/checkpoints/contentHash.ts');
    next.keepHashesIn(cache);
    expect(next.rememberedHash([file], 'a test', () => 'b')).toBe('a'.padEnd(32, '0'));
    for (const name of kept) writeFileSync(join(cache, 'hashes', name), 'half');
    vi.resetModules();
    const third = await import('../../../src-main/engine/checkpoints/contentHash.ts');
    third.keepHashesIn(cache);
    expect(third.rememberedHash([file], 'a test', () => 'b'.padEnd(32, '0'))).toBe('b'.padEnd(32, '0'));
  });
});
