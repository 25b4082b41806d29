import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { input } from '../../src-main/engine/graph/build.ts';
import { parseVaeConfig } from '../../src-main/engine/models/parseConfig.ts';
import { vaeDecode, vaeEncode } from '../../src-main/engine/models/vae.ts';
import { Scope } from '../../src-main/engine/nn/scope.ts';
import { Session } from '../../src-main/engine/runtime/session.ts';
import { side, vaeConfig } from './modelConfig.ts';
import { option, outFolder } from './paths.ts';
import { readPart } from './readPart.ts';

// How well the autoencoder gives back photos it has not seen: PSNR over all pixels of all pictures below a folder, each
// cropped to a square in the middle and resized to the model's size.

const folder = option('photos', '');
if (!folder) throw new Error('--photos FOLDER says which pictures to measure.');
const config = parseVaeConfig(vaeConfig, 'modelConfig.ts');
const image = input('image', [1, 3, side, side]);
const scope = Scope.root('vae');
const decoded = vaeDecode(scope, vaeEncode(scope, image, config).mean, config);
const session = await Session.compile(
  { outputs: { decoded } },
  { weights: readPart(join(outFolder(), 'weights', 'vae')) },
);

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(jpe?g|png|webp)$/i.test(file),
);
let squares = 0;
let decibels = 0;
for (const file of files) {
  const pixels = await sharp(join(folder, file))
    .rotate()
    .resize(side, side, { fit: 'cover' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const data = Float32Array.from(
    { length: pixels.length },
    (_, i) => (pixels[(i % (side * side)) * 3 + Math.floor(i / (side * side))] as number) / 127.5 - 1,
  );
  const result = await session.runHost({ image: { dtype: 'f32', shape: image.shape, data } });
  const again = result['decoded']?.data as Float32Array;
  const error =
    data.reduce((sum, x, i) => sum + (x - Math.min(1, Math.max(-1, again[i] as number))) ** 2, 0) /
    data.length;
  squares += error / files.length;
  decibels += (10 * Math.log10(4 / error)) / files.length;
}
console.log(
  `${files.length} pictures: ${(10 * Math.log10(4 / squares)).toFixed(2)} dB over all pixels, ${decibels.toFixed(2)} dB as the mean of the pictures`,
);
