import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../../src-main/engine/checkpoints/modelFolder.ts';
import { expectTensor } from '../../../../src-main/engine/checkpoints/weights.ts';
import { inPrecision } from '../../../../src-main/engine/graph/mixedPrecision.ts';
import { pieces } from '../../../../src-main/engine/graph/pieces.ts';
import { leaves } from '../../../../src-main/engine/graph/graph.ts';
import { unetShapes } from '../../../../src-main/engine/models/unetCost.ts';
import { Tensor } from '../../../../src-main/engine/runtime/tensor.ts';
import { TorchGenerator } from '../../../../src-main/engine/tensor/random.ts';
import { elementCount, i64, type Shape } from '../../../../src-main/engine/tensor/tensor.ts';
import { distillLoss } from '../../../../src-main/engine/training/loss/distillLoss.ts';
import type { LossOptions } from '../../../../src-main/engine/training/loss/gradients.ts';
import { Teacher } from '../../../../src-main/engine/training/loss/teacher.ts';
import { Trainer } from '../../../../src-main/engine/training/run/trainer.ts';
import { distillationWork } from '../../../../src-main/features/bench/workloads.ts';
import type { Precision } from '../../../../src-shared/domain/precision.ts';

const model = openModelFolder(resolve('test/golden/fixtures/models/tiny-sd1'));
const { config, weights } = model.unet;
const { taught } = distillLoss(config, config, {
  ...{ batch: 1, latents: [config.in_channels, 8, 8], tokens: 77 },
  ...{ lambdaSd: 1, lambdaOutput: 1, lambdaFeature: 1 },
});
const shapes = unetShapes(config);
const stored = (name: string) => {
  const own = name.replace('teacher.', '');
  return expectTensor(weights, own, shapes.get(own) as Shape);
};
const generator = new TorchGenerator(0);
const normal = (shape: Shape) => Tensor.from({ dtype: 'f32', shape, data: generator.randn([...shape]) });
const given = {
  ...{ latents: normal([1, config.in_channels, 8, 8]), noise: normal([1, config.in_channels, 8, 8]) },
  ...{ sample_latents: normal([1, 1, 1, 1]), sample_noise: normal([1, 1, 1, 1]) },
  timesteps: Tensor.from(i64([1], [300])),
  context: normal([1, 77, config.cross_attention_dim[0] as number]),
};

describe('a teacher', { timeout: 300_000 }, () => {
  it('gives the same whether its weights stay in memory or are read for each of its pieces', async () => {
    const bytes = 4 * [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
    const answers = [];
    for (const keepAtMost of [Infinity, 0]) {
      const idle = new Float32Array(bytes / 4 / 3);
      const options = { weights: stored, provider: 'cpu', idleBytes: idle.byteLength, keepAtMost } as const;
      const teacher = await Teacher.create(taught, options);
      answers.push(await teacher.prepare(given, idle));
      // Again: the memory that was lent is full of other things by then.
      idle.fill(NaN);
      answers.push(await teacher.prepare(given, idle));
      expect(idle.every(Number.isNaN)).toBe(keepAtMost > 0);
      await teacher.dispose();
    }
    const [kept = {}, ...others] = answers;
    expect(Object.keys(kept).sort()).toEqual(Object.keys(taught.outputs).sort());
    for (const other of others)
      for (const [name, { host }] of Object.entries(other)) {
        const wanted = kept[name]?.host.data as Float32Array;
        const error = (host.data as Float32Array).reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (wanted[i] as number))),
          0,
        );
        expect(error).toBeLessThan(1e-4);
      }
  });

  it('is cut so that no piece has more weights than fit, and each weight is in a piece', () => {
    const sizeOf = (parameter: { readonly shape: Shape }): number => elementCount(parameter.shape);
    const limit = 40_000;
    const cut = pieces(taught, sizeOf, limit);
    expect(cut.length).toBeGreaterThan(3);
    const all = new Set<string>();
    for (const piece of cut) {
      const own = [...leaves(piece, 'parameter')];
      const total = own.reduce((sum, [, parameter]) => sum + sizeOf(parameter), 0);
      expect(total <= limit || own.length === 1).toBe(true);
      for (const [name] of own) all.add(name);
    }
    expect([...all].sort()).toEqual([...leaves(taught, 'parameter').keys()].sort());
  });

  // On the CPU, which keeps no 16 bits of its own: the graph is what a graphics device gets.
  it('computes in 16 bits where its student does, and 50 losses hardly change', async () => {
    const student = openModelFolder(resolve('test/golden/fixtures/models/tiny-bk'));
    const size = { batch: 2, latents: 8, provider: 'cpu' } as const;
    const { options, feeds } = distillationWork(model, student, size);
    let computed: Precision | undefined;
    const preparation: LossOptions['preparation'] = async (on) => {
      computed = on.form.computes;
      const made = await options.preparation?.(on);
      if (!made) throw new Error('a distillation has a teacher');
      return made;
    };
    const losses = async (of: Precision): Promise<number[]> => {
      const trainer = await Trainer.create({ ...options, preparation, precision: of });
      const found: number[] = [];
      for (let step = 0; step < 50; step++)
        found.push((await trainer.step([feeds], { learningRate: 1e-4, maxGradientNorm: 1 })).loss);
      await trainer.dispose();
      return found;
    };
    const found = await losses('f16');
    expect(computed).toBe('f16');
    const expected = await losses('f32');
    expect(expected.at(-1)).toBeLessThan(0.9 * (expected[0] as number));
    const off = found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1));
    expect(Math.max(...off)).toBeLessThan(0.01);
    expect(Math.max(...off)).toBeGreaterThan(0);
  });

  it('says in 16 bits what it says in 32, less the rounding', async () => {
    const answers = [];
    for (const precision of ['f32', 'f16'] as const) {
      const graph = inPrecision(taught, precision);
      const teacher = await Teacher.create(graph, { weights: stored, provider: 'cpu', idleBytes: 0 });
      answers.push(await teacher.prepare(given, new Float32Array()));
      await teacher.dispose();
    }
    const [whole = {}, half = {}] = answers;
    expect(Object.keys(half).sort()).toEqual(Object.keys(whole).sort());
    for (const [name, { host }] of Object.entries(whole)) {
      const [wanted, found] = [host.data as Float32Array, half[name]?.host.data as Float32Array];
      const off = Math.hypot(...wanted.map((value, i) => value - (found[i] as number)));
      expect(off / Math.hypot(...wanted), name).toBeLessThan(1e-2);
      expect(off).toBeGreaterThan(0);
    }
  });
});
