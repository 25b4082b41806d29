import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import {
  expectTensor,
  findBadValues,
  readTensor,
  Weights,
} from '../../../src-main/engine/checkpoints/weights.ts';
import {
  joined,
  writeSafetensors,
  type NamedTensor,
} from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { f32, i64, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

let scratch: string;
const at = (name: string) => join(scratch, name);
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-safetensors ü-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function write(name: string, tensors: NamedTensor[], metadata?: Record<string, string>) {
  writeSafetensors(at(name), tensors, metadata);
  return readSafetensors(at(name));
}

const values = (entry: FileTensor | undefined) =>
  Array.from(readTensor(entry as FileTensor).data as ArrayLike<number | bigint>);

describe('writeSafetensors', () => {
  it('stores every type, odd sizes among them, and metadata', () => {
    const { tensors, metadata } = write(
      'types.safetensors',
      [
        { name: 'b', tensor: { dtype: 'u8', shape: [3], data: Uint8Array.of(1, 2, 255) } },
        { name: 'a', tensor: f32([2, 2], [1, -2, 3.5, 1e-30]) },
        { name: 'i', tensor: i64([2], [-1, 2 ** 40]) },
        { name: 'h', tensor: { dtype: 'bf16', shape: [1], data: Uint16Array.of(0x3f80) } },
        { name: 'n', tensor: { dtype: 'i32', shape: [], data: Int32Array.of(-7) } },
        { name: 'none', tensor: f32([0, 3]) },
      ],
      { format: 'pt' },
    );
    expect(metadata).toEqual({ format: 'pt' });
    expect(values(tensors.get('a'))).toEqual([1, -2, 3.5, Math.fround(1e-30)]);
    expect(values(tensors.get('i'))).toEqual([-1n, BigInt(2 ** 40)]);
    expect(values(tensors.get('b'))).toEqual([1, 2, 255]);
    expect(values(tensors.get('h'))).toEqual([0x3f80]);
    expect(values(tensors.get('n'))).toEqual([-7]);
    expect(tensors.get('none')?.shape).toEqual([0, 3]);
  });

  it('aligns the data to 8 bytes and puts wide types first, as the reference implementation does', () => {
    const tensors = [
      { name: 'z', tensor: i64([1], [1]) },
      { name: 'a', tensor: { dtype: 'u8', shape: [1], data: Uint8Array.of(1) } },
      { name: 'm', tensor: f32([1], [1]) },
    ] as const;
    const file = write('order.safetensors', [...tensors]);
    const bytes = readFileSync(at('order.safetensors'));
    expect(Number(bytes.readBigUInt64LE(0)) % 8).toBe(0);
    const order = [...file.tensors].sort((a, b) => a[1].offset - b[1].offset).map(([name]) => name);
    expect(order).toEqual(['z', 'm', 'a']);
  });

  it('converts between f32, f16 and bf16 on the way, also from another file', () => {
    const source = write('source.safetensors', [{ name: 'w', tensor: f32([3], [1, -0.5, 65504]) }]);
    const half = write('half.safetensors', [
      { name: 'w', tensor: source.tensors.get('w') as FileTensor, dtype: 'f16' },
    ]);
    expect(values(half.tensors.get('w'))).toEqual([0x3c00, 0xb800, 0x7bff]);
    const back = write('back.safetensors', [
      { name: 'w', tensor: half.tensors.get('w') as FileTensor, dtype: 'f32' },
    ]);
    expect(values(back.tensors.get('w'))).toEqual([1, -0.5, 65504]);
    const brain = { dtype: 'bf16', shape: [1], data: Uint16Array.of(0xbf80) } as const;
    expect(
      values(write('brain.safetensors', [{ name: 'w', tensor: brain, dtype: 'f16' }]).tensors.get('w')),
    ).toEqual([0xbc00]);
    const integers = write('integers.safetensors', [{ name: 'w', tensor: i64([1], [3]), dtype: 'f16' }]);
    expect(values(integers.tensors.get('w'))).toEqual([3n]);
  });

  it('says which weight f16 can not hold, and leaves no file', () => {
    const large = { name: 'mid.weight', tensor: f32([2], [1, -70000]), dtype: 'f16' } as const;
    expect(() => write('large.safetensors', [large])).toThrow(/"mid\.weight".*-7\.00e\+4.*--dtype f32/);
    expect(readdirSync(scratch).filter((name) => name.includes('large'))).toEqual([]);
    const infinite = { name: 'w', tensor: f32([1], [Infinity]), dtype: 'f16' } as const;
    expect(values(write('infinite.safetensors', [infinite]).tensors.get('w'))).toEqual([0x7c00]);
  });

  it('joins parts of different types and computes late', () => {
    const half = { dtype: 'f16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0x4000) } as const;
    const late = { dtype: 'f32', shape: [1, 2], compute: () => f32([1, 2], [3, 4]) } as const;
    const { tensors } = write('joined.safetensors', [{ name: 'qk', tensor: joined([half, late], [2, 2]) }]);
    expect(values(tensors.get('qk'))).toEqual([1, 2, 3, 4]);
  });

  it('copies tensors larger than a piece whole', () => {
    const count = (5 << 20) / 4 + 3;
    const data = Float32Array.from({ length: count }, (_, i) => i);
    const first = write('big.safetensors', [{ name: 'w', tensor: { dtype: 'f32', shape: [count], data } }]);
    const copy = write('copy.safetensors', [{ name: 'w', tensor: first.tensors.get('w') as FileTensor }]);
    const found = readTensor(copy.tensors.get('w') as FileTensor).data;
    expect(Buffer.compare(Buffer.from(found.buffer), Buffer.from(data.buffer))).toBe(0);
  });

  it('leaves the old file and nothing else behind when it fails', () => {
    write('kept.safetensors', [{ name: 'w', tensor: f32([1], [7]) }]);
    const before = readdirSync(scratch).sort();
    const failing = {
      dtype: 'f32',
      shape: [1],
      compute: () => {
        throw new Error('no more power');
      },
    } as const;
    expect(() => writeSafetensors(at('kept.safetensors'), [{ name: 'w', tensor: failing }])).toThrow(
      'no more power',
    );
    expect(readdirSync(scratch).sort()).toEqual(before);
    expect(values(readSafetensors(at('kept.safetensors')).tensors.get('w'))).toEqual([7]);
    expect(() => writeSafetensors(at('no/such/folder.safetensors'), [])).toThrow("can't be written (ENOENT)");
  });
});

describe('weights', () => {
  const weightsOf = (name: string, tensors: NamedTensor[]) =>
    new Weights(at(name), write(name, tensors).tensors);

  it('expectTensor names file, tensor, and what was expected and found', () => {
    const weights = weightsOf('expect.safetensors', [
      { name: 'w', tensor: f32([2, 3]) },
      { name: 'ids', tensor: i64([1], [1]) },
    ]);
    expect(expectTensor(weights, 'w', [2, 3]).byteLength).toBe(24);
    expect(() => expectTensor(weights, 'w', [3, 2])).toThrow(
      /expect\.safetensors.*"w" is 2×3 where config\.json asks for 3×2/,
    );
    expect(() => expectTensor(weights, 'v', [4])).toThrow(/expect\.safetensors lacks the tensor "v" \(4\)/);
    expect(() => expectTensor(weights, 'ids', [1])).toThrow('"ids" is of type i64');
  });

  it.each([
    ['f32', { dtype: 'f32', shape: [3], data: Float32Array.of(1, NaN, -Infinity) }],
    ['f16', { dtype: 'f16', shape: [3], data: Uint16Array.of(0x7bff, 0x7e00, 0xfc00) }],
    ['bf16', { dtype: 'bf16', shape: [3], data: Uint16Array.of(0x7f7f, 0x7fc0, 0xff80) }],
  ] as const)('findBadValues counts NaN and infinity in %s, and no finite value', (name, tensor) => {
    const good = weightsOf(`good-${name}.safetensors`, [{ name: 'w', tensor: f32([2], [1, 3e38]) }]);
    expect(() => findBadValues(good)).not.toThrow();
    const bad = weightsOf(`bad-${name}.safetensors`, [{ name: 'w', tensor }]);
    expect(() => findBadValues(bad)).toThrow('"w" holds 2 NaN or infinite values');
  });
});

describe('readSafetensors', () => {
  it('reads data at unaligned offsets', () => {
    const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   ';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const number = Buffer.alloc(4);
    number.writeFloatLE(0.75);
    writeFileSync(at('odd.safetensors'), Buffer.concat([length, Buffer.from(header), number]));
    expect((8 + header.length) % 4).not.toBe(0);
    expect(values(readSafetensors(at('odd.safetensors')).tensors.get('w'))).toEqual([0.75]);
  });

  it('keeps the names of tensors whose type is of no use here', () => {
    const header = '{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}';
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(at('f8.safetensors'), Buffer.concat([length, Buffer.from(header), Buffer.alloc(2)]));
    const file = readSafetensors(at('f8.safetensors'));
    expect(file.otherTypes.get('w')).toMatchObject({ dtype: 'F8_E4M3', shape: [2] });
    expect(() => expectTensor(new Weights('f8', file.tensors, file.otherTypes), 'w', [2])).toThrow(
      'of type F8_E4M3',
    );
  });
});

describe('a header', () => {
  const ofHeader = (name: string, header: string): string => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
    writeFileSync(at(name), Buffer.concat([length, Buffer.from(header)]));
    return at(name);
  };

  it('of more tensors than any model has is refused before it is parsed', () => {
    const empty = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    const crowd = Array.from({ length: 100_001 }, (_, i) => `"t${i}":${empty}`).join();
    expect(() => readSafetensors(ofHeader('crowd', `{${crowd}}`))).toThrow(/crowd.*over 100,000 tensors/);
  });

  it('of lists in lists, of endless lists and without an end is refused', () => {
    for (const header of [
      `{"a":${'['.repeat(1e6)}`,
      `{"a":[${'1,'.repeat(4e6)}1]}`,
      '{"a',
      '{"a\\',
      '"',
      `{"a":${'{"b":'.repeat(1e5)}`,
    ])
      expect(() => readSafetensors(ofHeader('odd', header))).toThrow(/odd/);
  });
});
