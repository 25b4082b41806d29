import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { add, input, mean, sqrt, square, sub } from '../../src-main/engine/graph/build.ts';
import { parseVaeConfig } from '../../src-main/engine/models/parseConfig.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { generatorFor } from '../../src-main/engine/tensor/seeded.ts';
import { encoderWeight, posteriorLogvar, readLinearEncoder } from './linearEncoder.ts';
import { side, vaeConfig } from './modelConfig.ts';
import { numberOption, option, outFolder } from './paths.ts';
import { pretrain } from './pretrain.ts';
import { readPart } from './readPart.ts';
import { Pictures } from './shards.ts';
import { StoredLatents } from './storedLatents.ts';
import { writePart } from './writePart.ts';

// Stage 4: the decoder, to invert the encoder. L1 distance (rounded off at zero); first on crops, then on whole pictures.

const work = join(outFolder(), 'weights');
const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const stored = new StoredLatents(join(work, 'latents.safetensors'));
const encoder = readLinearEncoder(join(work, 'encoder.json'));
const config = parseVaeConfig(vaeConfig, 'modelConfig.ts');
const scope = Scope.root('vae');

for (const [stage, size, batch, steps, learningRate] of [
  ['vae-crops', 64, 16, numberOption('crop-steps', 1200), 3e-3],
  ['vae', side, 8, numberOption('steps', 200), 1e-3],
] as const) {
  await trainStage(stage, { size, batch, steps, learningRate });
}

async function trainStage(
  stage: string,
  { size, batch, steps, learningRate }: { size: number; batch: number; steps: number; learningRate: number },
): Promise<void> {
  const cells = size / 8;
  const image = input('image', [batch, 3, size, size]);
  const latents = input('latents', [batch, config.latent_channels, cells, cells]);
  const difference = square(sub(vaeDecode(scope, latents, config), image));
  const loss = mean(sqrt(add(difference, 1e-4)));
  const start = stage === 'vae' ? readPart(join(work, 'vae')) : undefined;

  const result = await pretrain({
    stage,
    folder: work,
    loss,
    metrics: { mse: mean(difference) },
    ...{ steps, learningRate, warmup: 30, weightDecay: 0, averageDecay: 0.98 },
    initial: (name) => start?.(name),
    feeds: (step) => {
      const generator = generatorFor(2, stage, step);
      const target = new Float32Array(batch * 3 * size * size);
      const noise = generator.randn(latents.shape);
      const from = noise.map((x) => x * Math.exp(posteriorLogvar / 2));
      for (let row = 0; row < batch; row++) {
        const [index = 0] = generator.randint(0, stored.count / 2, [1]);
        const [left = 0, top = 0] = generator.randint(0, side / 8 - cells + 1, [2]);
        target.set(pictures.crop(index, size, [8 * left, 8 * top], false), row * 3 * size * size);
        const crop = stored.crop(index, cells, [left, top]);
        for (let i = 0; i < crop.length; i++)
          from[row * crop.length + i] = (from[row * crop.length + i] as number) + (crop[i] as number);
      }
      return {
        image: { dtype: 'f32', shape: image.shape, data: target },
        latents: { dtype: 'f32', shape: latents.shape, data: from },
      };
    },
  });
  mkdirSync(join(work, 'vae'), { recursive: true });
  const { mean: centre, logvar } = vaeEncode(scope, input('image', [1, 3, side, side]), config);
  writePart(
    join(work, 'vae'),
    'vae',
    'diffusion_pytorch_model.safetensors',
    vaeConfig,
    { outputs: { centre, logvar, loss } },
    (name, shape) => encoderWeight(encoder, name, shape) ?? result(name),
  );
}
