import { readMobileNet } from '../checkpoints/mobileNetFile.ts';
import { input } from '../graph/build.ts';
import { mobileNet } from '../models/mobileNet.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import { squeezed } from '../pictures/squeezed.ts';
import { Session } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { f32, type HostTensor } from '../tensor/tensor.ts';
import { normalized, type Features } from './features.ts';

/** Pictures a call: more only cost memory. */
const batch = 4;
const part = 'mobilenet';

/** MobileNetV2's pooled features: an independent opinion, learnt on other pictures than any model here. */
export class MobileNetFeatures implements Features {
  readonly name = 'MobileNetV2';

  private constructor(
    private readonly session: Session,
    private readonly size: number,
  ) {}

  /** On the CPU: it is small, and figures stay comparable. Errors: those of `readMobileNet`. */
  static async open(file: string): Promise<MobileNetFeatures> {
    const { config, weights } = readMobileNet(file);
    const pictures = input('pictures', [batch, 3, config.size, config.size]);
    const graph = { outputs: { features: mobileNet(Scope.root(part), pictures, config) } };
    const session = await Session.compile(graph, {
      weights: (name) => weights.get(name.slice(part.length + 1)),
    });
    return new MobileNetFeatures(session, config.size);
  }

  async pictures(pictures: readonly Picture[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < pictures.length; from += batch) {
      const some = pictures.slice(from, from + batch);
      const features = await this.run(await Promise.all(some.map((picture) => toUnit(picture, this.size))));
      const width = features.shape[1] as number;
      for (const i of some.keys()) vectors.push(normalized(features.data.slice(i * width, (i + 1) * width)));
    }
    return vectors;
  }

  /** Raw features [batch,d] of up to `batch` pictures [3,size,size] in 0…1. */
  async run(pictures: readonly Float32Array[]): Promise<HostTensor<'f32'>> {
    const pixels = 3 * this.size ** 2;
    const feed = f32([batch, 3, this.size, this.size]);
    for (const [i, picture] of pictures.entries()) feed.data.set(picture, i * pixels);
    const { features } = await this.session.run({ pictures: Tensor.from(feed) });
    return (features as Tensor).host as HostTensor<'f32'>;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/** A picture squeezed to [3,size,size], values 0…1. */
function toUnit(picture: Picture, size: number): Promise<Float32Array> {
  return squeezed(picture, size, (byte) => byte / 255);
}
