import { join } from 'node:path';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { constant, conv2d, input } from '../../src-main/engine/graph/build.ts';
import { Session } from '../../src-main/engine/runtime/session.ts';
import { asPatchConvolution, readLinearEncoder } from './linearEncoder.ts';
import { side } from './modelConfig.ts';
import { option, outFolder } from './paths.ts';
import { Pictures } from './shards.ts';

// Stage 3: all pictures as latents in f16, [n,12,16,16]: first as they are, then all of them mirrored.

const batch = 10;
const work = join(outFolder(), 'weights');
const pictures = new Pictures(join(outFolder(), option('name', 'train')));
const { weight, bias } = asPatchConvolution(readLinearEncoder(join(work, 'encoder.json')));
const image = input('image', [batch, 3, side, side]);
const latents = conv2d(image, constant(weight), constant(bias), { stride: [8, 8], padding: [0, 0, 0, 0] });
const session = await Session.compile({ outputs: { latents } });

const shape = latents.shape.slice(1);
const size = shape.reduce((product, n) => product * n, 1);
const count = pictures.count - (pictures.count % batch);
const values = new Float32Array(2 * count * size);
const squares = new Float64Array(shape[0] as number);
for (let start = 0; start < 2 * count; start += batch) {
  const data = new Float32Array(batch * 3 * side * side);
  for (let row = 0; row < batch; row++)
    data.set(pictures.crop((start + row) % count, side, [0, 0], start >= count), (row * data.length) / batch);
  const result = await session.runHost({ image: { dtype: 'f32', shape: image.shape, data } });
  const encoded = result['latents']?.data as Float32Array;
  values.set(encoded, start * size);
  const area = size / squares.length;
  for (let i = 0; i < encoded.length; i++) {
    const channel = Math.floor(i / area) % squares.length;
    squares[channel] = (squares[channel] as number) + (encoded[i] as number) ** 2;
  }
}
const tensor = { dtype: 'f32' as const, shape: [2 * count, ...shape], data: values };
writeSafetensors(join(work, 'latents.safetensors'), [{ name: 'latents', tensor, dtype: 'f16' }], {});
const deviations = [...squares].map((sum) => Math.sqrt((sum * squares.length) / values.length).toFixed(2));
console.log(`${count} pictures, twice; deviations of the channels: ${deviations.join(' ')}`);
