import { ClipFeatures } from '../../engine/evaluation/clip.ts';
import type { Features } from '../../engine/evaluation/features.ts';
import { LikenessScorer } from '../../engine/evaluation/likenessScorer.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { VitFeatures } from '../../engine/evaluation/visionTransformer.ts';
import type { ScoreRequest } from './request.ts';

export interface Scorers {
  /** All that are available. */
  readonly all: readonly Features[];
  /** The one that fidelity to the subject is judged by: DINO where given, as DreamBooth does, else MobileNetV2. */
  readonly subject: Features;
  /** The one that reads prompts, if any: CLIP where given, else the shipped one. */
  readonly prompt: (Features & Required<Pick<Features, 'prompts'>>) | undefined;
  dispose(): Promise<void>;
}

/** Opens every scorer that is available. Errors: those of their folders. */
export async function openScorers(
  request: Pick<ScoreRequest, 'mobileNet' | 'likenessScorer' | 'clip' | 'dino' | 'provider'>,
): Promise<Scorers> {
  const { mobileNet, likenessScorer, clip, dino, provider } = request;
  const outside = await MobileNetFeatures.open(mobileNet);
  const shipped = LikenessScorer.isIn(likenessScorer)
    ? await LikenessScorer.open(likenessScorer, provider)
    : undefined;
  const users = {
    clip: clip === undefined ? undefined : await ClipFeatures.open(clip, provider),
    dino: dino === undefined ? undefined : await VitFeatures.open(dino, provider),
  };
  const all = [outside, shipped, users.clip, users.dino].filter((features) => features !== undefined);
  return {
    all,
    subject: users.dino ?? outside,
    prompt: users.clip ?? shipped,
    dispose: async () => {
      for (const features of all) await features.dispose();
    },
  };
}
