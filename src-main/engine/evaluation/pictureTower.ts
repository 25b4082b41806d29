import type { ScorerFolder } from '../checkpoints/scorerFolders.ts';
import { input } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { Session } from '../runtime/session.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { batch, batchOf, checkFinite, inBatches } from './inBatches.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { partWeights } from '../pipelines/weights.ts';
import { normalized } from './features.ts';
import { preparedSize, preprocess } from './preprocess.ts';

const part = 'scorer';

export interface Tower {
  /** The network, from prepared pictures [b,c,h,w] to vectors [b,d]. */
  readonly build: (scope: Scope, pixels: Value) => Value;
  /** Height and width the network was made for; undefined where it takes any. */
  readonly size: readonly [height: number, width: number] | undefined;
  /** Weights that stand in the place of stored ones. */
  readonly own?: (name: string) => HostTensor | undefined;
}

/** A network that looks at pictures, prepared as its folder says, a few at a time. */
export class PictureTower {
  private constructor(
    private readonly session: Session,
    private readonly source: Pick<ScorerFolder<unknown>, 'folder' | 'preprocessor'>,
    private readonly size: readonly [height: number, width: number],
  ) {}

  /** Errors: `scorer.size`, `tensor.*`, `provider.missing`. */
  static async open(
    { folder, preprocessor, weights }: Omit<ScorerFolder<unknown>, 'config'>,
    { build, size, own }: Tower,
    provider: ProviderChoice,
  ): Promise<PictureTower> {
    const given = preparedSize(preprocessor);
    const [height, width] = size ?? (given ? [given.height, given.width] : [0, 0]);
    if (!given || given.height !== height || given.width !== width)
      throw problem('scorer.size', {
        folder,
        wanted: `${height}×${width}`,
        found: given ? `${given.height}×${given.width}` : 'of any shape',
      });
    const pixels = input('pixels', [batch, 3, height, width]);
    const graph = { outputs: { vectors: build(Scope.root(part), pixels) } };
    const session = await Session.compile(graph, { provider, weights: partWeights(graph, weights, own) });
    return new PictureTower(session, { folder, preprocessor }, [height, width]);
  }

  /** A vector of length 1 for each picture. Errors: `output.notFinite`. */
  async vectors(pictures: readonly Picture[]): Promise<Float32Array[]> {
    const pixels = (picture: Picture): Float32Array => preprocess(picture, this.source.preprocessor).data;
    const found = await inBatches(pictures, async (some) => {
      const feeds = { pixels: batchOf(some.map(pixels), this.size) };
      return (await this.session.runHost(feeds))['vectors'];
    });
    checkFinite(found, this.source.folder, 'vision tower');
    return found.map(normalized);
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}
