import { mkdtemp, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNumpy, writeNpz } from '../../../src-main/engine/checkpoints/npy.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import {
  covariance,
  frechetDistance,
  statisticsFrom,
  statisticsOf,
} from '../../../src-main/engine/evaluation/fid.ts';
import { kernelDistance } from '../../../src-main/engine/evaluation/kid.ts';
import { nuclearNorm, type Matrix } from '../../../src-main/engine/evaluation/linalg.ts';
import { RandomState } from '../../../src-main/engine/evaluation/numpyRandom.ts';
import { partWeights } from '../../../src-main/engine/pipelines/weights.ts';
import { input } from '../../../src-main/engine/graph/build.ts';
import { inception } from '../../../src-main/engine/models/inception.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { doubleProduct } from '../../../src-main/engine/runtime/doubleProduct.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { evaluateSet } from '../../../src-main/features/evaluation/set.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = fileURLToPath(new URL('../fixtures/sets/', import.meta.url));
const expected = JSON.parse(readFileSync(`${fixtures}expected.json`, 'utf8')) as {
  fid: number;
  fidScipy: number;
  fidFew: number;
  kid: [number, number];
  kidAll: [number, number];
  kidFew: [number, number];
  is_: [number, number];
  permutation: number[];
  wide: [number, number];
  nuclear: number;
  inception: { features: number[]; logits: number[] };
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'likeness sets '));
});
afterAll(() => rm(folder, { recursive: true }));

const pause = async () => Promise.resolve();
const matrix = (file: string, name: string): Matrix => {
  const array = readNumpy(fixtures + file, [name]).get(name);
  if (!array) throw new Error(`${file} has no ${name}`);
  return { rows: array.shape[0] as number, columns: array.shape[1] as number, data: array.data };
};
const near = (value: number | null | undefined, wanted: number): void => {
  expect(Math.abs((value ?? NaN) / wanted - 1)).toBeLessThan(1e-4);
};
const notes: string[] = [];
const context = {
  report: (event: { type: string; message?: string }) => void notes.push(event.message ?? ''),
  signal: new AbortController().signal,
};
const evaluate = (images: string, reference?: string, more = {}) =>
  evaluateSet(
    {
      images: fixtures + images,
      ...(reference !== undefined && { reference: fixtures + reference }),
      resize: 'clean',
      provider: 'cpu',
      ...more,
    },
    context,
  );

describe('sets of features', () => {
  it("have torch-fidelity's and scipy's FID, and its KID and Inception Score", async () => {
    const scores = await evaluate('a.npz', 'b.npz');
    near(scores.fid, expected.fid);
    near(scores.fid, expected.fidScipy);
    near(scores.kid, expected.kidAll[0]);
    near(scores.kidStd, expected.kidAll[1]);
    expect(scores.kidSubset).toBe(260);
    near(scores.is, expected.is_[0]);
    near(scores.isStd, expected.is_[1]);
    expect(scores.clipScore).toBeNull();
    expect(notes.join()).toMatch(/subsets of 260 pictures/);
  });

  it("have torch-fidelity's KID on subsets", async () => {
    const options = { size: 100 };
    const kid = await kernelDistance(
      matrix('a.npz', 'features'),
      matrix('b.npz', 'features'),
      pause,
      options,
    );
    near(kid.mean, expected.kid[0]);
    near(kid.std, expected.kid[1]);
  });

  it('have the FID of stored statistics', async () => {
    const scores = await evaluate('a.npz', 'b-statistics.npz');
    near(scores.fid, expected.fid);
    expect(scores.kid).toBeNull();
  });

  it('may be fewer than features', async () => {
    const scores = await evaluate('few.npy', 'b-statistics.npz');
    near(scores.fid, expected.fidFew);
    near((await evaluate('few.npy', 'b.npz')).kid, expected.kidFew[0]);
  });

  it.each(['a.npz', 'few.npy', 'b-statistics.npz'])('have no distance from themselves: %s', async (file) => {
    expect(Math.abs((await evaluate(file, file)).fid ?? NaN)).toBeLessThan(1e-9);
  });

  it('are saved as statistics that are read again', async () => {
    const saveStats = join(folder, 'statistics.npz');
    await evaluate('b.npz', undefined, { saveStats });
    const names = ['mu', 'sigma'];
    const [ours, theirs] = [readNumpy(saveStats, names), readNumpy(`${fixtures}b-statistics.npz`, names)];
    for (const name of names) {
      expect(ours.get(name)?.shape).toEqual(theirs.get(name)?.shape);
      const wanted = theirs.get(name)?.data ?? [];
      for (const [i, value] of (ours.get(name)?.data ?? new Float64Array()).entries())
        expect(value).toBeCloseTo(wanted[i] as number, 6);
    }
  });

  it('of different width are refused', async () => {
    const narrow = join(folder, 'narrow.npz');
    writeNpz(narrow, { features: { shape: [3, 2], data: Float64Array.from([1, 2, 3, 4, 5, 7]) } });
    await expect(evaluate('a.npz', undefined, { reference: narrow })).rejects.toMatchObject({
      code: 'features.unfit',
    });
  });

  it('end when cancelled', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const request = {
      images: `${fixtures}a.npz`,
      reference: `${fixtures}b.npz`,
      resize: 'clean',
      provider: 'cpu',
    } as const;
    await expect(evaluateSet(request, { ...context, signal })).rejects.toThrow('enough');
  });
});

describe('features of more columns than are taken together', () => {
  const columns = 200;
  const drawn = async (seed: number, rows: number, shift: number): Promise<Matrix> => {
    const generator = new TorchGenerator(seed);
    const draw = (count: number, scale: number): Float64Array =>
      Float64Array.from(generator.randn([count, columns])).map((value) => value * scale);
    const [x, mixing] = [draw(rows, 1), draw(columns, 1 / Math.sqrt(columns))];
    const product = await doubleProduct({ rows, columns, data: x }, { rows: columns, columns, data: mixing });
    return { ...product, data: product.data.map((value) => Math.max(value + shift, 0)) };
  };

  it.each([260, 120])("have scipy's FID, and none from themselves: %i rows", async (rows) => {
    const [a, b] = [await drawn(11, 300, 0.3), await drawn(12, rows, 0.4)];
    const [one, other] = [await statisticsOf(a, pause), await statisticsOf(b, pause)];
    near(await frechetDistance(one, other, pause), expected.wide[rows === 260 ? 0 : 1]);
    expect(Math.abs(await frechetDistance(other, other, pause))).toBeLessThan(1e-9);
    const stored = await statisticsFrom(other.mu, await covariance(b), pause);
    near(await frechetDistance(one, stored, pause), expected.wide[rows === 260 ? 0 : 1]);
  });
});

it("draws NumPy's orders", () => {
  expect([...new RandomState(2020).permutation(50)]).toEqual(expected.permutation);
});

it('adds up singular values', async () => {
  near(await nuclearNorm(matrix('few.npy', ''), pause), expected.nuclear);
});

it("looks at pictures as pytorch-fid's Inception does", async () => {
  const file = `${fixtures}inception.safetensors`;
  const { tensors } = readSafetensors(file);
  const shapes = (name: string) => (tensors.get(name) as FileTensor).shape;
  const size = 299;
  const graph = { outputs: inception(Scope.root('inception'), input('pixels', [1, 3, size, size]), shapes) };
  const session = await Session.compile(graph, { weights: partWeights(graph, new Weights(file, tensors)) });
  const data = Float32Array.from({ length: 3 * size * size }, (_, i) => {
    const pixel = i % (size * size);
    return Math.sin((pixel % size) / 9) * Math.cos(Math.floor(pixel / size) / 14);
  });
  const seen = await session.runHost({ pixels: { dtype: 'f32', shape: [1, 3, size, size], data } });
  await session.dispose();
  for (const name of ['features', 'logits'] as const)
    for (const [i, value] of expected.inception[name].entries())
      expect(seen[name]?.data[i]).toBeCloseTo(value, 4);
});
