import { join } from 'node:path';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { input } from '../../src-main/engine/graph/build.ts';
import { parseVaeConfig } from '../../src-main/engine/models/parseConfig.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { Session } from '../../src-main/engine/runtime/session.ts';
import { side, vaeConfig } from './modelConfig.ts';
import { option, outFolder } from './paths.ts';
import { readPart } from './readPart.ts';
import { Pictures } from './shards.ts';

// Stage 3: all pictures as latents, [n,4,16,16] in f16, with the scale that gives them unit variance; and how well the VAE does.

const batch = 8;
const work = join(outFolder(), 'weights');
const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const config = parseVaeConfig({ ...vaeConfig, scaling_factor: 1 }, 'modelConfig.ts');
const scope = Scope.root('vae');
const { mean } = vaeEncode(scope, input('image', [batch, 3, side, side]), config);
const weights = readPart(join(work, 'vae'));
const encoder = await Session.compile({ outputs: { mean } }, { weights });
const decoded = vaeDecode(scope, input('latents', mean.shape), config);
const decoder = await Session.compile({ outputs: { decoded } }, { weights });

const size = mean.shape.slice(1).reduce((product, n) => product * n, 1);
const count = pictures.count - (pictures.count % batch);
const latents = new Float32Array(count * size);
const checked = Math.min(count, 512);
let squares = 0;
let error = 0;
for (let start = 0; start < count; start += batch) {
  const data = new Float32Array(batch * 3 * side * side);
  for (let row = 0; row < batch; row++)
    data.set(pictures.crop(start + row, side, [0, 0], false), (row * data.length) / batch);
  const encoded = await encoder.runHost({ image: { dtype: 'f32', shape: [batch, 3, side, side], data } });
  const values = encoded['mean']?.data as Float32Array;
  latents.set(values, start * size);
  for (const value of values) squares += value * value;
  if (start >= checked) continue;
  const again = await decoder.runHost({ latents: { dtype: 'f32', shape: mean.shape, data: values } });
  const pixels = again['decoded']?.data as Float32Array;
  for (let i = 0; i < data.length; i++) {
    error += (Math.min(1, Math.max(-1, pixels[i] as number)) - (data[i] as number)) ** 2;
  }
}
const scalingFactor = 1 / Math.sqrt(squares / latents.length);
const psnr = 10 * Math.log10(4 / (error / (checked * 3 * side * side)));
writeSafetensors(
  join(work, 'latents.safetensors'),
  [
    {
      name: 'latents',
      tensor: { dtype: 'f32', shape: [count, ...mean.shape.slice(1)], data: latents },
      dtype: 'f16',
    },
  ],
  { scalingFactor: String(scalingFactor) },
);
console.log(
  `${count} pictures; scaling factor ${scalingFactor.toFixed(4)}; PSNR of ${checked}: ${psnr.toFixed(2)} dB`,
);
