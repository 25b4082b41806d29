import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import {
  add,
  cast,
  constant,
  gemm,
  input,
  mul,
  parameter,
  reshape,
  sub,
  sum,
} from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { bundledProviders } from '../../../src-main/engine/runtime/providers.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import { f32ToF16 } from '../../../src-main/engine/tensor/half.ts';
import { f32, type FileTensor, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'likeness-session-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + 1));

/** A safetensors file with "pad" (`padding` bytes), then "w" f32 [4,3], then "h" f16 [4,3]. */
function writeWeights(path: string, padding: number): ReadonlyMap<string, FileTensor> {
  const half = f32ToF16(values);
  const header = new TextEncoder().encode(
    JSON.stringify({
      pad: { dtype: 'U8', shape: [padding], data_offsets: [0, padding] },
      w: { dtype: 'F32', shape: [4, 3], data_offsets: [padding, padding + 48] },
      h: { dtype: 'F16', shape: [4, 3], data_offsets: [padding + 48, padding + 72] },
    }),
  );
  const length = new BigUint64Array([BigInt(header.length)]);
  writeFileSync(
    path,
    Buffer.concat(
      [Buffer.from(length.buffer), header, Buffer.alloc(padding, 7), values, half].map((part) =>
        Buffer.from(part.buffer, part.byteOffset, part.byteLength),
      ),
    ),
  );
  return readSafetensors(path).tensors;
}

const x = f32([2, 3], [1, 2, 3, -1, 0.5, 0]);
const product = (rows: number[], w: ArrayLike<number>): number[] =>
  [0, 1].flatMap((r) =>
    [0, 1, 2, 3].map((o) =>
      [0, 1, 2].reduce((total, i) => total + (rows[r * 3 + i] ?? 0) * (w[o * 3 + i] ?? 0), 0),
    ),
  );

/** y = x·wᵀ with w from a file. */
async function multiply(tensors: ReadonlyMap<string, FileTensor>): Promise<HostTensor | undefined> {
  const y = gemm(input('x', [2, 3]), parameter('w', [4, 3]), false, true);
  const session = await Session.compile({ outputs: { y } }, { weights: (name) => tensors.get(name) });
  expect(session.inputs).toEqual(['x']);
  const result = await session.runHost({ x });
  await session.dispose();
  return result['y'];
}

function expectNumbers(actual: HostTensor | undefined, expected: ArrayLike<number>, digits = 5): void {
  const numbers = Array.from(actual?.data ?? [], Number);
  expect(numbers.length).toBe(expected.length);
  numbers.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, digits));
}

describe('weights straight from a safetensors file', () => {
  it.each([0, 1, 2, 3, 5, 8, 4095])('at an offset %i bytes further', async (padding) => {
    const tensors = writeWeights(join(folder, `at-${padding}.safetensors`), padding);
    expectNumbers(await multiply(tensors), product([...x.data], values));
  });

  it.each(['with space.safetensors', 'Köpfchen – 猫 🐕.safetensors', "quote's & $(signs).safetensors"])(
    'in “%s”',
    async (name) => {
      mkdirSync(join(folder, 'Fotos vom Hund 🐾'), { recursive: true });
      expectNumbers(
        await multiply(writeWeights(join(folder, 'Fotos vom Hund 🐾', name), 3)),
        product([...x.data], values),
      );
    },
  );

  it('through a relative symbolic link, as download caches have them', async () => {
    mkdirSync(join(folder, 'blobs'));
    mkdirSync(join(folder, 'snapshot'));
    writeWeights(join(folder, 'blobs', 'hash'), 1);
    const link = join(folder, 'snapshot', 'model.safetensors');
    symlinkSync('../blobs/hash', link);
    expectNumbers(await multiply(readSafetensors(link).tensors), product([...x.data], values));
  });

  it.runIf(existsSync('/dev/shm'))('on another volume', async () => {
    const other = mkdtempSync('/dev/shm/likeness-');
    expectNumbers(
      await multiply(writeWeights(join(other, 'model.safetensors'), 1)),
      product([...x.data], values),
    );
    rmSync(other, { recursive: true });
  });

  it('as float16, cast for the graph, and in another shape', async () => {
    const tensors = writeWeights(join(folder, 'half.safetensors'), 2);
    const y = reshape(parameter('h', [12]), [12]);
    const session = await Session.compile(
      { outputs: { y: mul(y, 1) } },
      { weights: (name) => tensors.get(name) },
    );
    expectNumbers((await session.runHost({}))['y'], values, 3);
    await session.dispose();
  });

  it('shared by several sessions and several files by one session', async () => {
    const first = writeWeights(join(folder, 'first.safetensors'), 1);
    const second = writeWeights(join(folder, 'second.safetensors'), 6);
    const place = (name: string): FileTensor | undefined =>
      (name === 'second.w' ? second : first).get(name.split('.').at(-1) ?? '');
    const [w1, w2] = [parameter('first.w', [4, 3]), parameter('second.w', [4, 3])];
    const sessions = await Promise.all(
      [add(w1, w2), sub(w1, w2), sum(w1)].map(async (y) =>
        Session.compile({ outputs: { y } }, { weights: place }),
      ),
    );
    const results = await Promise.all(sessions.map(async (session) => (await session.runHost({}))['y']));
    expectNumbers(
      results[0],
      values.map((value) => 2 * value),
    );
    expectNumbers(
      results[1],
      values.map(() => 0),
    );
    expectNumbers(results[2], [values.reduce((a, b) => a + b, 0)]);
    for (const session of sessions) await session.dispose();
  });
});

describe('a session', () => {
  const compile = (outputs: Record<string, Value>) => Session.compile({ outputs });

  it('writes outputs into memory that is given', async () => {
    const [a, b] = [input('a', [3]), input('b', [3])];
    const session = await compile({ sum: add(a, b), product: mul(a, b) });
    const target = f32([3]);
    const into = { sum: Tensor.from(target) };
    const feeds = { a: Tensor.from(f32([3], [1, 2, 3])), b: Tensor.from(f32([3], [10, 20, 30])) };
    const results = await session.run(feeds, into);
    expect([...target.data]).toEqual([11, 22, 33]);
    expect(results['sum']).toBe(into.sum);
    expect([...(results['product']?.host.data ?? [])]).toEqual([10, 40, 90]);
    await session.dispose();
  });

  it('updates an input in place, again and again', async () => {
    const count = 100_000;
    const [p, g] = [input('p', [count]), input('g', [count])];
    const session = await compile({ next: sub(p, mul(g, 0.5)) });
    const state = f32([count]);
    state.data.forEach((_, i) => (state.data[i] = i % 7));
    const tensor = Tensor.from(state);
    const gradient = Tensor.from(f32([count], new Float32Array(count).fill(1)));
    for (let step = 0; step < 4; step++) await session.run({ p: tensor, g: gradient }, { next: tensor });
    expect(state.data.every((value, i) => value === (i % 7) - 2)).toBe(true);
    await session.dispose();
  });

  it('gives every output its name: one value twice, a bare input, a constant', async () => {
    const a = input('a', [2]);
    const double = add(a, a);
    const session = await compile({ one: double, two: double, same: a, fixed: constant(f32([1], [3])) });
    const results = await session.runHost({ a: f32([2], [1, 2]) });
    expect(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]))).toEqual({
      one: [2, 4],
      two: [2, 4],
      same: [1, 2],
      fixed: [3],
    });
    await session.dispose();
  });

  it('takes whatever names leaves have', async () => {
    const names = ['x', 'unet.down_blocks.0.weight', 'with space', 'Größe 🐕'];
    const total = names.map((name) => mul(input(name, [1]), 2)).reduce((a, b) => add(a, b));
    const session = await compile({ total });
    const feeds = Object.fromEntries(names.map((name, i) => [name, f32([1], [i + 1])]));
    expect([...((await session.runHost(feeds))['total']?.data ?? [])]).toEqual([20]);
    await session.dispose();
  });

  it('says which input was forgotten', async () => {
    const session = await compile({ y: mul(input('needed', [1]), 2) });
    await expect(session.runHost({})).rejects.toThrow('input needed was not given');
    await session.dispose();
  });

  it('keeps integers and booleans', async () => {
    const ids = input('ids', [3], 'i64');
    const session = await compile({ twice: add(ids, ids), truth: cast(ids, 'bool') });
    const data = BigInt64Array.of(0n, -5n, 2n ** 40n);
    const results = await session.runHost({ ids: { dtype: 'i64', shape: [3], data } });
    expect(results['twice']).toEqual({ dtype: 'i64', shape: [3], data: data.map((value) => 2n * value) });
    expect([...(results['truth']?.data ?? [])]).toEqual([0, 1, 1]);
    await session.dispose();
  });

  it('names the provider that is missing, and what there is', async () => {
    const missing = (['cuda', 'dml', 'coreml'] as const).find((name) => !bundledProviders().includes(name));
    if (!missing) throw new Error('no machine bundles all of them');
    const failure = await Session.compile(
      { outputs: { y: mul(input('x', [1]), 2) } },
      { provider: missing },
    ).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LikenessError);
    expect((failure as LikenessError).code).toBe('provider.missing');
    expect((failure as LikenessError).message).toContain(missing);
    expect((failure as LikenessError).message).toContain('cpu');
  });
});
