import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unpickle, UnsafePickle } from '../../../src-main/engine/checkpoints/pickle.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { removeOldCopies } from '../../../src-main/engine/checkpoints/denseCopies.ts';
import { keepHashesIn } from '../../../src-main/engine/checkpoints/contentHash.ts';
import { readTorchFile } from '../../../src-main/engine/checkpoints/torchFile.ts';
import { readWeightFile } from '../../../src-main/engine/checkpoints/weightFiles.ts';
import { expectTensor, readTensor, Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { toF32 } from '../../../src-main/engine/tensor/half.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '../fixtures/checkpoints');
const expected = JSON.parse(readFileSync(join(fixtures, 'tensors.json'), 'utf8')) as Record<
  string,
  { dtype: string; shape: number[]; values: number[] }
>;

const torchNames = {
  f32: 'float32',
  f16: 'float16',
  bf16: 'bfloat16',
  i64: 'int64',
  i32: 'int32',
  u8: 'uint8',
  bool: 'bool',
} as const;

function described(entry: FileTensor) {
  const tensor = readTensor(entry);
  const isFloat = tensor.dtype === 'f32' || tensor.dtype === 'f16' || tensor.dtype === 'bf16';
  const values = Array.from(
    isFloat ? toF32(tensor).data : (tensor.data as ArrayLike<number | bigint>),
    Number,
  );
  return { dtype: torchNames[tensor.dtype], shape: tensor.shape, values };
}

describe.each([
  ['safetensors', () => readSafetensors(join(fixtures, 'tensors.safetensors')).tensors],
  ['the zip format', () => readTorchFile(join(fixtures, 'zip.bin')).tensors],
  ['the format before torch 1.6', () => readTorchFile(join(fixtures, 'legacy.bin')).tensors],
  ['a lightning checkpoint', () => readTorchFile(join(fixtures, 'lightning.ckpt')).tensors],
])('%s', (_, read) => {
  it('gives every tensor as torch stored it', () => {
    const found = Object.fromEntries([...read()].map(([name, entry]) => [name, described(entry)]));
    expect(found).toEqual(expected);
  });
});

const copiesIn = (cache: string): string[] =>
  readdirSync(join(cache, 'dense')).filter((name) => name.endsWith('.safetensors'));

describe('torch files', () => {
  it.each(['zip.bin', 'legacy.bin'])('%s: what cannot be used is named, not dropped in silence', (file) => {
    const { otherTypes } = readTorchFile(join(fixtures, file));
    const types = Object.fromEntries([...otherTypes].map(([name, { dtype }]) => [name, dtype]));
    expect(types).toEqual({ strided: 'f32 in a strided view', f64: 'F64' });
  });

  it('a strided view is called so where it is wanted', () => {
    const { tensors, otherTypes } = readTorchFile(join(fixtures, 'zip.bin'));
    const weights = new Weights('zip.bin', tensors, otherTypes);
    expect(() => expectTensor(weights, 'strided', [2, 3])).toThrow(/"strided" is a strided view.*contiguous/);
  });

  it('what lies in another order is read from a copy in the cache, bit by bit', () => {
    const cache = mkdtempSync(join(tmpdir(), 'likeness-dense-'));
    const file = join(fixtures, 'strided.bin');
    expect(readWeightFile(file).tensors.size).toBe(1);
    keepHashesIn(cache);
    const { tensors, otherTypes } = readWeightFile(file);
    // One number that is said to be five is no tensor of weights.
    expect([...otherTypes.keys()]).toEqual(['expanded']);
    const dense = readSafetensors(join(fixtures, 'strided.safetensors')).tensors;
    expect([...tensors.keys()].sort()).toEqual([...dense.keys()].sort());
    for (const [name, entry] of dense)
      expect(readTensor(tensors.get(name) as FileTensor)).toEqual(readTensor(entry));
    const [copy = ''] = copiesIn(cache);
    const { ino } = statSync(join(cache, 'dense', copy));
    readWeightFile(file);
    expect(copiesIn(cache)).toEqual([copy]);
    expect(statSync(join(cache, 'dense', copy)).ino).toBe(ino);
  });

  it('a copy goes when its file has gone or changed, or when nobody has used it for a month', () => {
    const cache = mkdtempSync(join(tmpdir(), 'likeness-dense-'));
    const put = (name: string): string => {
      copyFileSync(join(fixtures, 'strided.bin'), join(cache, name));
      return join(cache, name);
    };
    keepHashesIn(cache);
    const [gone, changed, old, used] = ['gone', 'changed', 'old', 'used'].map(put) as [
      string,
      string,
      string,
      string,
    ];
    for (const file of [gone, changed, used]) readWeightFile(file);
    const before = readdirSync(join(cache, 'dense'));
    readWeightFile(old);
    const [note = ''] = readdirSync(join(cache, 'dense')).filter(
      (name) => name.endsWith('.used') && !before.includes(name),
    );
    removeOldCopies();
    expect(copiesIn(cache)).toHaveLength(4);

    rmSync(gone);
    appendFileSync(changed, ' ');
    utimesSync(join(cache, 'dense', note), new Date(), new Date(Date.now() - 31 * 24 * 3_600_000));
    removeOldCopies();
    expect(copiesIn(cache)).toHaveLength(1);
    expect(readdirSync(join(cache, 'dense'))).toHaveLength(2);
    const read = [...readWeightFile(used).tensors.values()].map(({ file }) => file);
    expect(read).toContain(join(cache, 'dense', copiesIn(cache)[0] ?? ''));
  });

  it('keeps the numbers beside the weights', () => {
    expect(readTorchFile(join(fixtures, 'lightning.ckpt')).values.get('global_step')).toBe(875000);
  });

  it.each([
    ['system', 2, 'posix.system'],
    ['system', 4, 'posix.system'],
    ['eval', 2, '__builtin__.eval'],
    ['eval', 4, 'builtins.eval'],
  ])('a pickle that calls %s (protocol %d) is refused by name', (name, protocol, wanted) => {
    const bytes = readFileSync(join(fixtures, `evil-${name}-${protocol}.pkl`));
    const nothing = { allowed: () => false, make: () => null, persistent: () => null };
    expect(() => unpickle(bytes, nothing)).toThrow(UnsafePickle);
    expect(() => unpickle(bytes, nothing)).toThrow(wanted);
  });
});
