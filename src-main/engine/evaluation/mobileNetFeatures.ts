import { readMobileNet } from '../checkpoints/mobileNetFile.ts';
import { input } from '../graph/build.ts';
import { mobileNet } from '../models/mobileNet.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import { squeezed } from '../pictures/squeezed.ts';
import { Session } from '../runtime/session.ts';
import { asF32, type HostTensor } from '../tensor/tensor.ts';
import { normalized, type Features } from './features.ts';
import { batch, batchOf, inBatches } from './inBatches.ts';

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
    const pixels = (picture: Picture): Promise<Float32Array> =>
      squeezed(picture, this.size, (byte) => byte / 255);
    const found = await inBatches(pictures, async (some) => this.run(await Promise.all(some.map(pixels))));
    return found.map(normalized);
  }

  /** Raw features [batch,d] of up to `batch` pictures [3,size,size] in 0…1. */
  async run(pictures: readonly Float32Array[]): Promise<HostTensor<'f32'>> {
    const feeds = { pictures: batchOf(pictures, [this.size, this.size]) };
    return asF32((await this.session.runHost(feeds))['features']);
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}
