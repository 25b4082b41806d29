import { problem } from '../../../src-shared/messages/index.ts';
import { readNumpy, type NumpyArray } from '../../engine/checkpoints/npy.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { readF32 } from '../../engine/checkpoints/weights.ts';
import type { Matrix } from '../../engine/evaluation/linalg.ts';

/** What is known of a set of pictures: features and logits of each, or their mean and covariance alone. */
export interface FeatureSet {
  /** The folder or file it comes from. */
  readonly source: string;
  readonly features?: Matrix;
  readonly logits?: Matrix;
  readonly statistics?: { readonly mu: Float64Array; readonly sigma: Matrix };
}

const known = ['features', 'logits', 'mu', 'sigma'];

/**
 * Reads `.npz` (`features`, `logits`; or `mu`, `sigma` as pytorch-fid and clean-fid write them), `.npy` (features) or
 * `.safetensors`. Errors: `features.unfit`, those of the readers.
 */
export function readFeatureSet(source: string): FeatureSet {
  const arrays = source.endsWith('.safetensors') ? safetensors(source) : readNumpy(source, known);
  const unfit = (why: string): Error => problem('features.unfit', { file: source, why });
  const matrix = (name: string): Matrix | undefined => {
    const array = arrays.get(name);
    if (!array) return undefined;
    const [rows, columns] = array.shape;
    if (array.shape.length !== 2 || !rows || !columns) throw unfit(`"${name}" is not a table of numbers`);
    if (!array.data.every(Number.isFinite)) throw unfit(`"${name}" holds values that are no numbers`);
    return { rows, columns, data: array.data };
  };
  const [features, logits, sigma, mu] = [
    matrix('features') ?? matrix(''),
    matrix('logits'),
    matrix('sigma'),
    arrays.get('mu'),
  ];
  if (sigma && mu && (mu.data.length !== sigma.columns || sigma.rows !== sigma.columns))
    throw unfit('its mu and sigma are of different sizes');
  if (!features && !logits && !(sigma && mu)) throw unfit(`it has none of ${known.join(', ')}`);
  return {
    source,
    ...(features && { features }),
    ...(logits && { logits }),
    ...(sigma && mu && { statistics: { mu: mu.data, sigma } }),
  };
}

function safetensors(file: string): Map<string, NumpyArray> {
  const { tensors } = readSafetensors(file);
  const named = known.flatMap((name) => {
    const entry = tensors.get(name);
    if (!entry) return [];
    const { shape, data } = readF32(entry);
    return [[name, { shape, data: Float64Array.from(data) }] as const];
  });
  return new Map(named);
}

/** Vectors of one length as a matrix. */
export function stacked(vectors: readonly Float32Array[]): Matrix {
  const columns = vectors[0]?.length ?? 0;
  const data = new Float64Array(vectors.length * columns);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * columns);
  return { rows: vectors.length, columns, data };
}
