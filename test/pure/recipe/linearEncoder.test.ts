import { describe, expect, it } from 'vitest';
import { asPatchConvolution, encoderWeight, fitLinearEncoder } from '../../../models/recipe/linearEncoder.ts';
import { vaeConfig } from '../../../models/recipe/modelConfig.ts';
import { eigen } from '../../../models/recipe/principalAxes.ts';
import { Random } from '../../../models/recipe/random.ts';
import { constant, conv2d, input } from '../../../src-main/engine/graph/build.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import { parseVaeConfig } from '../../../src-main/engine/models/parseConfig.ts';
import { vaeEncode } from '../../../src-main/engine/models/vae.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';

const side = 32;

/** Smooth random pictures, [3,side,side]. */
function pictures(count: number): Float32Array[] {
  const random = new Random(1);
  return Array.from({ length: count }, () => {
    const waves = Array.from({ length: 12 }, () => ({
      channel: random.int(3),
      level: random.range(-0.3, 0.3),
      x: random.range(-0.5, 0.5),
      y: random.range(-0.5, 0.5),
      phase: random.range(0, 6),
    }));
    return Float32Array.from({ length: 3 * side * side }, (_, i) => {
      const c = Math.floor(i / side / side);
      const [x, y] = [i % side, Math.floor(i / side) % side];
      return waves.reduce(
        (sum, wave) =>
          sum + (wave.channel === c ? wave.level * (1 + Math.sin(wave.x * x + wave.y * y + wave.phase)) : 0),
        0,
      );
    });
  });
}

describe('principal axes', () => {
  it('of a known matrix', () => {
    const { values, vectors } = eigen(Float64Array.from([2, 1, 0, 1, 2, 0, 0, 0, 5]), 3);
    expect(values.map((value) => Math.round(value * 1e9) / 1e9)).toEqual([5, 3, 1]);
    const [, second = new Float64Array(3)] = vectors;
    expect(Math.abs(second[0] ?? 0)).toBeCloseTo(Math.SQRT1_2, 9);
    expect((second[0] ?? 0) * (second[1] ?? 0)).toBeCloseTo(0.5, 9);
  });
});

describe('the linear encoder', () => {
  const samples = pictures(40);
  const encoder = fitLinearEncoder(samples, side);
  const images = f32([40, 3, side, side], Float32Array.from(samples.flatMap((sample) => [...sample])));
  const image = input('image', images.shape);

  it('gives latents of mean zero and unit variance', async () => {
    const { weight, bias } = asPatchConvolution(encoder);
    const latents = conv2d(image, constant(weight), constant(bias), {
      stride: [8, 8],
      padding: [0, 0, 0, 0],
    });
    const session = await Session.compile({ outputs: { latents } });
    const values = [...((await session.runHost({ image: images }))['latents']?.data ?? [])].map(Number);
    expect(values.reduce((sum, x) => sum + x, 0) / values.length).toBeCloseTo(0, 3);
    expect(values.reduce((sum, x) => sum + x * x, 0) / values.length).toBeCloseTo(1, 1);
  });

  it('is the same function as the AutoencoderKL it is shipped as', async () => {
    const config = parseVaeConfig(vaeConfig, 'modelConfig.ts');
    const { mean } = vaeEncode(Scope.root('vae'), image, config);
    const parameters = leaves({ outputs: { mean } }, 'parameter');
    const { weight, bias } = asPatchConvolution(encoder);
    const latents = conv2d(image, constant(weight), constant(bias), {
      stride: [8, 8],
      padding: [0, 0, 0, 0],
    });
    const session = await Session.compile(
      { outputs: { mean, latents } },
      {
        weights: (name) => encoderWeight(encoder, name, parameters.get(name)?.shape ?? []),
      },
    );
    const { mean: folded, latents: direct } = await session.runHost({ image: images });
    const worst = Math.max(
      ...[...(direct?.data ?? [])].map((x, i) => Math.abs(Number(x) - Number(folded?.data[i]))),
    );
    expect(worst).toBeLessThan(0.02);
  });
});
