import { openClipFolder, type ScorerFolder } from '../checkpoints/scorerFolders.ts';
import { input } from '../graph/build.ts';
import { clipImageEmbeds, clipTextEmbeds } from '../models/clipVision.ts';
import type { ClipConfig } from '../models/parseVisionConfig.ts';
import { Tokenizer } from '../models/tokenizer.ts';
import { Scope } from '../nn/scope.ts';
import type { Picture } from '../pictures/pixels.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { Session } from '../runtime/session.ts';
import { i64 } from '../tensor/tensor.ts';
import { normalized, type Features } from './features.ts';
import { batch, checkFinite, inBatches } from './inBatches.ts';
import { PictureTower } from './pictureTower.ts';
import { partWeights } from '../pipelines/weights.ts';

/** CLIP (Radford et al. 2021): pictures and prompts in one space, from the user's transformers folder. */
export class ClipFeatures implements Features {
  readonly name = 'CLIP';
  /** Opened when first needed: some figures compare only pictures. */
  private text: TextTower | undefined;

  private constructor(
    private readonly opened: ScorerFolder<ClipConfig>,
    private readonly tower: PictureTower,
    private readonly provider: ProviderChoice,
  ) {}

  /** Errors: those of `openClipFolder` and `PictureTower.open`. */
  static async open(folder: string, provider: ProviderChoice): Promise<ClipFeatures> {
    const opened = openClipFolder(folder);
    const { vision, projection_dim } = opened.config;
    const tower = await PictureTower.open(
      opened,
      {
        build: (scope, pixels) => clipImageEmbeds(scope, pixels, vision, projection_dim),
        size: [vision.image_size, vision.image_size],
      },
      provider,
    );
    return new ClipFeatures(opened, tower, provider);
  }

  async pictures(pictures: readonly Picture[]): Promise<Float32Array[]> {
    return this.tower.vectors(pictures);
  }

  /** Cut to what the text tower can read. Errors: `tokenizer.*`, `tensor.*`, `output.notFinite`. */
  async prompts(prompts: readonly string[]): Promise<Float32Array[]> {
    this.text ??= await TextTower.open(this.opened, this.provider);
    return this.text.vectors(prompts);
  }

  async dispose(): Promise<void> {
    await this.tower.dispose();
    await this.text?.dispose();
  }
}

class TextTower {
  private constructor(
    private readonly session: Session,
    private readonly tokenizer: Tokenizer,
    private readonly opened: ScorerFolder<ClipConfig>,
    private readonly length: number,
  ) {}

  static async open(opened: ScorerFolder<ClipConfig>, provider: ProviderChoice): Promise<TextTower> {
    const { text, projection_dim } = opened.config;
    const tokenizer = await Tokenizer.load(opened.folder);
    const length = Math.min(tokenizer.maxLength, text.max_position_embeddings);
    const ids = input('ids', [batch, length], 'i64');
    const ends = input('ends', [batch], 'i64');
    const scope = Scope.root('scorer');
    const graph = { outputs: { vectors: clipTextEmbeds(scope, ids, ends, text, projection_dim) } };
    const session = await Session.compile(graph, {
      provider,
      weights: partWeights(graph, opened.weights),
    });
    return new TextTower(session, tokenizer, opened, length);
  }

  async vectors(prompts: readonly string[]): Promise<Float32Array[]> {
    const { length } = this;
    const end = this.opened.config.text.eos_token_id;
    const found = await inBatches(prompts, async (some) => {
      const encoded = Array.from({ length: batch }, (_, i) => this.encode(some[i] ?? ''));
      const ends = encoded.map((ids, row) => row * length + endOf(ids, end));
      const feeds = { ids: i64([batch, length], encoded.flat()), ends: i64([batch], ends) };
      return (await this.session.runHost(feeds))['vectors'];
    });
    checkFinite(found, this.opened.folder, 'text tower');
    return found.map(normalized);
  }

  private encode(prompt: string): number[] {
    const { ids } = this.tokenizer.encode(prompt);
    // Where the tower reads fewer tokens than the tokenizer gives, the end token still comes last, as after truncation.
    return ids.length > this.length ? [...ids.slice(0, this.length - 1), ids.at(-1) as number] : ids;
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
  }
}

/**
 * Which token stands for the whole prompt: the first end, or where a config says 2 (all before transformers 4.31 do, wrongly) the
 * token with the highest number, which is the end in CLIP's vocabulary.
 */
function endOf(ids: readonly number[], end: number): number {
  return Math.max(0, ids.indexOf(end === 2 ? Math.max(...ids) : end));
}
