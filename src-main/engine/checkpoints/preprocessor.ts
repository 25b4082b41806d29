import { join } from 'node:path';
import * as z from 'zod';
import { nameOf, problem } from '../../../src-shared/messages/index.ts';
import { asRecord, isFile, readJson } from './files.ts';

/** Pixels; `shortest` keeps the proportions, `longest` bounds the other side. */
export type TargetSize =
  | { readonly height: number; readonly width: number }
  | { readonly shortest: number; readonly longest?: number };

/** How pictures are prepared for a network, in this order; a step that is left out is undefined. */
export interface Preprocessor {
  readonly resize?: { readonly size: TargetSize; readonly resample: number };
  readonly crop?: { readonly height: number; readonly width: number };
  readonly rescale?: number;
  readonly normalize?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

const clipMean = [0.48145466, 0.4578275, 0.40821073];
const clipStd = [0.26862954, 0.26130258, 0.27577711];
const half = [0.5, 0.5, 0.5];

const clipDefaults = {
  size: { shortest_edge: 224 } as unknown,
  toSquare: false,
  crop: true,
  resample: 3,
  image_mean: clipMean,
  image_std: clipStd,
};

/** What transformers' image processors do where the file says nothing. */
const defaults: Readonly<Record<string, typeof clipDefaults>> = {
  CLIPImageProcessor: clipDefaults,
  BitImageProcessor: clipDefaults,
  ViTImageProcessor: {
    size: { height: 224, width: 224 },
    toSquare: true,
    crop: false,
    resample: 2,
    image_mean: half,
    image_std: half,
  },
};

const pixels = z.int().min(1).max(4096);
const size = z.union([
  pixels,
  z.tuple([pixels, pixels]),
  z.looseObject({ height: pixels, width: pixels }),
  z.looseObject({ shortest_edge: pixels, longest_edge: pixels.nullish() }),
]);
const statistics = z.union([z.number(), z.array(z.number()).length(3)]);
const fields = z.object({
  do_resize: z.boolean().default(true),
  size,
  resample: z.int().min(0).max(5),
  do_center_crop: z.boolean(),
  crop_size: z.union([pixels, z.tuple([pixels, pixels]), z.looseObject({ height: pixels, width: pixels })]),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: statistics,
  image_std: statistics,
});

/**
 * Reads `preprocessor_config.json` (transformers 5: also the `image_processor` of `processor_config.json`) of a CLIP, DINO or DINOv2
 * folder, older forms too. Errors: `scorer.notOne`, `config.invalid`.
 */
export function readPreprocessor(folder: string): Preprocessor {
  const { file, keys } = processorConfig(folder);
  const type = processorType(keys);
  const known = defaults[type];
  if (!known) throw problem('config.invalid', { file, why: `the image processor ${type} is not supported` });
  const { toSquare, crop, ...silent } = known;
  const said = Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== null));
  const result = fields.safeParse({ crop_size: 224, do_center_crop: crop, ...silent, ...said });
  if (!result.success) {
    const [issue] = result.error.issues;
    throw problem('config.invalid', { file, why: `${issue?.path.join('.')}: ${issue?.message}` });
  }
  const found = result.data;
  const three = (value: number | number[]): number[] =>
    typeof value === 'number' ? [value, value, value] : value;
  return {
    ...(found.do_resize && {
      resize: { size: targetSize(found.size, toSquare), resample: found.resample },
    }),
    ...(found.do_center_crop && { crop: bothSides(found.crop_size) }),
    ...(found.do_rescale && { rescale: found.rescale_factor }),
    ...(found.do_normalize && {
      normalize: { mean: three(found.image_mean), std: three(found.image_std) },
    }),
  };
}

function processorConfig(folder: string): { file: string; keys: Record<string, unknown> } {
  const own = join(folder, 'preprocessor_config.json');
  if (isFile(own)) return { file: own, keys: asRecord(readJson(own)) };
  const whole = join(folder, 'processor_config.json');
  if (!isFile(whole))
    throw problem('scorer.notOne', {
      file: folder,
      wanted: 'a transformers folder (preprocessor_config.json is missing)',
    });
  const inner = asRecord(readJson(whole))['image_processor'];
  return { file: whole, keys: asRecord(inner) };
}

/** The class name without its version suffix; old files name a feature extractor. */
function processorType(keys: Record<string, unknown>): string {
  const named = keys['image_processor_type'] ?? keys['feature_extractor_type'] ?? 'ViTImageProcessor';
  return nameOf(named)
    .replace(/(Fast|Pil)$/, '')
    .replace('FeatureExtractor', 'ImageProcessor');
}

function targetSize(value: z.infer<typeof size>, toSquare: boolean): TargetSize {
  if (typeof value === 'number') return toSquare ? { height: value, width: value } : { shortest: value };
  if (Array.isArray(value) || 'height' in value)
    return bothSides(value as z.infer<typeof fields>['crop_size']);
  const { shortest_edge: shortest, longest_edge: longest } = value as {
    shortest_edge: number;
    longest_edge?: number | null;
  };
  return { shortest, ...(longest && { longest }) };
}

function bothSides(value: z.infer<typeof fields>['crop_size']): { height: number; width: number } {
  if (typeof value === 'number') return { height: value, width: value };
  return Array.isArray(value)
    ? { height: value[0], width: value[1] }
    : { height: value.height, width: value.width };
}
