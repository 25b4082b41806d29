import { problem } from '../../../src-shared/messages/index.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { isFile, readText } from './files.ts';
import type { RawTensors } from './weightFiles.ts';

/** What a model's U-Net predicts, and how that is known. */
export interface KnownPrediction {
  readonly type: Prediction | 'sample';
  /** "its metadata", "--prediction" … */
  readonly from: string;
  /** The file doesn't say it: `from` tells what the guess is based on. */
  readonly assumed: boolean;
}

/** Of a single file: as Stable Diffusion 1, 2 or XL was published. */
export type Layout = 'v1' | 'v2' | 'xl';

const guesses: Readonly<Record<Layout, KnownPrediction>> = {
  v1: { type: 'epsilon', from: 'version 1', assumed: true },
  v2: { type: 'v_prediction', from: 'version 2, as diffusers does', assumed: true },
  xl: { type: 'epsilon', from: 'SDXL', assumed: true },
};

/**
 * What the U-Net of a single file predicts: noise, or velocity (2.1 at 768 pixels). Nothing in the weights tells. In order: metadata
 * (`modelspec.prediction_type`, `modelspec.architecture`), a `v_pred` tensor, a `NAME.yaml` beside the file saying
 * `parameterization: "v"`, the step count of 2-base's checkpoint; then what the person `said`; then, as diffusers decides, velocity
 * for version 2 and noise for the others. Errors: `model.predicts`.
 */
export function predictionOf(
  raw: RawTensors,
  file: string,
  layout: Layout,
  said?: Prediction,
): KnownPrediction {
  const stated = statedIn(raw, file);
  if (stated) return agreed(file, { ...stated, assumed: false }, said);
  if (said) return { type: said, from: '--prediction', assumed: false };
  return guesses[layout];
}

/** What a scheduler's configuration says; noise where it says nothing, as in diffusers. */
export function typeOf({
  prediction_type: type,
}: Readonly<Record<string, unknown>>): KnownPrediction['type'] {
  return type === 'v_prediction' || type === 'sample' ? type : 'epsilon';
}

/** What the file says, unless the person said otherwise. Errors: `model.predicts`. */
export function agreed<P extends Pick<KnownPrediction, 'type' | 'from'>>(
  file: string,
  stated: P,
  said: Prediction | undefined,
): P {
  if (said !== undefined && said !== stated.type)
    throw problem('model.predicts', { file, what: words[stated.type], from: stated.from, said });
  return stated;
}

function statedIn(
  { metadata, tensors, otherTypes }: RawTensors,
  file: string,
): Pick<KnownPrediction, 'type' | 'from'> | undefined {
  const known = (velocity: boolean, from: string) =>
    ({ type: velocity ? 'v_prediction' : 'epsilon', from }) as const;
  const said = metadata['modelspec.prediction_type'] ?? metadata['modelspec.predict_key'];
  if (said !== undefined) return known(said.startsWith('v'), 'its metadata');
  const architecture = metadata['modelspec.architecture'];
  if (architecture?.startsWith('stable-diffusion-v2'))
    return known(architecture.includes('768-v'), 'the architecture in its metadata');
  if (tensors.has('v_pred') || otherTypes.has('v_pred')) return known(true, 'its tensor v_pred');
  const yaml = `${file.replace(/\.\w+$/, '')}.yaml`;
  if (isFile(yaml)) return known(/^\s*parameterization:\s*["']?v\b/m.test(readText(yaml)), yaml);
  if (metadata['global_step'] === '875000') return known(false, 'its step count, which is that of 2-base');
  return undefined;
}

const words = { epsilon: 'noise', v_prediction: 'velocity', sample: 'the picture' } as const;

/** For people, where what a model predicts is a guess. */
export function assumption({
  path,
  prediction,
}: {
  readonly path: string;
  readonly prediction?: KnownPrediction;
}): string | undefined {
  if (!prediction?.assumed) return undefined;
  const other = prediction.type === 'epsilon' ? 'v_prediction' : 'epsilon';
  return `${path} does not say what it predicts; ${words[prediction.type]} is assumed (${prediction.from}). Should its pictures not come out, say --prediction ${other}.`;
}
