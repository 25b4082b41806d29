import type { Look } from '../../../../src-shared/segmentation/looks.ts';
import { scorerFiles } from '../../../shipped.ts';
import { readMobileNet } from '../../checkpoints/mobileNetFile.ts';
import { input } from '../../graph/build.ts';
import { mobileNetMaps } from '../../models/mobileNet.ts';
import { Scope } from '../../nn/scope.ts';
import type { Picture } from '../../pictures/pixels.ts';
import { squeezed } from '../../pictures/squeezed.ts';
import { Session } from '../../runtime/session.ts';
import { asF32, dims4, f32, type HostTensor } from '../../tensor/tensor.ts';

/** Pixels that a photo is squeezed to, and those of a cell. */
const [size, cell] = [384, 16];
const part = 'mobilenet';

/**
 * What photos look like to MobileNetV2: its feature maps of 8 and 16 pixels, together in cells of 16. On the CPU, where it takes a tenth
 * of a second a photo. Errors: those of `readMobileNet`.
 */
export async function photoLooks(photos: readonly Picture[]): Promise<Look[]> {
  const { config, weights } = readMobileNet(scorerFiles.mobileNet);
  const pictures = input('pictures', [1, 3, size, size]);
  const mapOf = mobileNetMaps(Scope.root(part), pictures, config);
  const session = await Session.compile(
    { outputs: { fine: mapOf(8), coarse: mapOf(16) } },
    { weights: (name) => weights.get(name.slice(part.length + 1)) },
  );
  try {
    const looks: Look[] = [];
    for (const photo of photos) {
      const data = await squeezed(photo, size, (byte) => byte / 255);
      const { fine, coarse } = await session.runHost({ pictures: f32([1, 3, size, size], data) });
      looks.push(inCells([asF32(fine), asF32(coarse)]));
    }
    return looks;
  } finally {
    await session.dispose();
  }
}

/** Maps [1,c,h,w] beside each other, each cell the mean of what lies in it. */
function inCells(maps: readonly HostTensor<'f32'>[]): Look {
  const side = size / cell;
  const channels = maps.reduce((sum, { shape }) => sum + (shape[1] as number), 0);
  const data = new Float32Array(side * side * channels);
  let before = 0;
  for (const map of maps) {
    const [, own, height, width] = dims4(map.shape);
    const each = width / side;
    map.data.forEach((value, at) => {
      const [channel, y, x] = [
        Math.floor(at / (height * width)),
        Math.floor(at / width) % height,
        at % width,
      ];
      const to = (Math.floor(y / each) * side + Math.floor(x / each)) * channels + before + channel;
      data[to] = (data[to] as number) + value / each ** 2;
    });
    before += own;
  }
  return { side, channels, data };
}
