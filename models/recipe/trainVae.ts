import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { add, exp, input, mean, mul, sqrt, square, sub } from '../../src-main/engine/graph/build.ts';
import { parseVaeConfig } from '../../src-main/engine/models/parseConfig.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { generatorFor } from '../../src-main/engine/training/randomness.ts';
import { f32, type HostTensor } from '../../src-main/engine/tensor/tensor.ts';
import { side, vaeConfig } from './modelConfig.ts';
import { numberOption, option, outFolder } from './paths.ts';
import { pretrain } from './pretrain.ts';
import { Pictures } from './shards.ts';
import { readPart } from './readPart.ts';
import { writePart } from './writePart.ts';

// Stage 2: the autoencoder. L1 distance (rounded off at zero) and a touch of KL; first on crops, then on whole pictures.

const work = join(outFolder(), 'weights');
const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const config = parseVaeConfig({ ...vaeConfig, scaling_factor: 1 }, 'modelConfig.ts');

for (const [stage, size, batch, steps, learningRate] of [
  ['vae-crops', 64, 16, numberOption('crop-steps', 1500), 2e-3],
  ['vae', side, 8, numberOption('steps', 500), 1e-3],
] as const) {
  await trainStage(stage, { size, batch, steps, learningRate });
}

async function trainStage(
  stage: string,
  { size, batch, steps, learningRate }: { size: number; batch: number; steps: number; learningRate: number },
): Promise<void> {
  const scope = Scope.root('vae');
  const image = input('image', [batch, 3, size, size]);
  const { mean: centre, logvar } = vaeEncode(scope, image, config);
  const noise = input('noise', centre.shape);
  const latents = add(centre, mul(exp(mul(logvar, 0.5)), noise));
  const difference = square(sub(vaeDecode(scope, latents, config), image));
  const distance = mean(sqrt(add(difference, 1e-4)));
  const divergence = mul(mean(sub(sub(add(square(centre), exp(logvar)), logvar), 1)), 0.5);
  const start = stage === 'vae' ? readPart(join(work, 'vae')) : undefined;

  const result = await pretrain({
    stage,
    folder: work,
    loss: add(distance, mul(divergence, 1e-4)),
    metrics: { mse: mean(difference), divergence },
    ...{ steps, learningRate, warmup: 50, weightDecay: 0, averageDecay: 0.99 },
    initial: (name) => start?.(name) ?? quietStart(name),
    feeds: (step) => {
      const generator = generatorFor(2, stage, step);
      const data = new Float32Array(batch * 3 * size * size);
      for (let row = 0; row < batch; row++) {
        const [index = 0] = generator.randint(0, pictures.count, [1]);
        const [left = 0, top = 0, mirror] = generator
          .randint(0, side - size + 1, [2])
          .concat(generator.randint(0, 2, [1]));
        data.set(pictures.crop(index, size, [left, top], mirror === 1), row * 3 * size * size);
      }
      return {
        image: { dtype: 'f32', shape: image.shape, data },
        noise: { dtype: 'f32', shape: noise.shape, data: generator.randn(noise.shape) },
      };
    },
  });
  mkdirSync(join(work, 'vae'), { recursive: true });
  writePart(
    join(work, 'vae'),
    'vae',
    'diffusion_pytorch_model.safetensors',
    vaeConfig,
    { outputs: { latents, distance } },
    result,
  );
}

/** Posteriors start narrow: at a deviation of one their noise would hide the picture for hundreds of steps. */
function quietStart(name: string): HostTensor<'f32'> | undefined {
  if (name !== 'vae.quant_conv.bias') return undefined;
  const channels = config.latent_channels;
  return f32([2 * channels], [...Array<number>(channels).fill(0), ...Array<number>(channels).fill(-6)]);
}
