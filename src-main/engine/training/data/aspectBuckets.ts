/** Width and height of training pictures, in pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
}

export const square = (size: number): Frame => ({ width: size, height: size });

export interface BucketLimits {
  /** Side of a square; no bucket has a larger area. */
  readonly size: number;
  /** Of any side. */
  readonly least: number;
  readonly most: number;
  /** Sides are multiples of this. */
  readonly step: number;
}

/** kohya's defaults, 256 to 1024 in steps of 64 for 512, in proportion; steps are no smaller than a latent and no larger than 64. */
export function bucketLimits(size: number, pixelsPerLatent: number): BucketLimits {
  const step = Math.max(
    pixelsPerLatent,
    Math.floor(Math.min(64, size / 8) / pixelsPerLatent) * pixelsPerLatent,
  );
  return { size, step, least: Math.max(step, Math.floor(size / 2 / step) * step), most: 2 * size };
}

/**
 * The shapes that photos are sorted into, by width, then height: as kohya's `make_bucket_resolutions` (sd-scripts,
 * `library/model_util.py`).
 */
export function makeBuckets({ size, least, most, step }: BucketLimits): Frame[] {
  const side = Math.floor(size / step) * step;
  const found = new Map<string, Frame>();
  const add = (width: number, height: number): void => {
    found.set(`${width} ${height}`, { width, height });
  };
  add(side, side);
  for (let width = least; width <= most; width += step) {
    const height = Math.min(most, Math.floor(Math.floor(size ** 2 / width) / step) * step);
    if (height < least) continue;
    add(width, height);
    add(height, width);
  }
  return [...found.values()].sort((a, b) => a.width - b.width || a.height - b.height);
}

/**
 * The bucket whose aspect ratio is nearest to a photo's, the first of two alike, or the one of exactly its size; and the size the photo
 * is brought to so that it covers it. As kohya's `BucketManager.select_bucket` (sd-scripts, `library/train_util.py`), which enlarges too.
 */
export function selectBucket(
  buckets: readonly Frame[],
  { width, height }: Frame,
): { readonly bucket: Frame; readonly resized: Frame } {
  const ratio = width / height;
  const off = (bucket: Frame): number => Math.abs(bucket.width / bucket.height - ratio);
  const exact = buckets.find((bucket) => bucket.width === width && bucket.height === height);
  const bucket = exact ?? buckets.reduce((best, one) => (off(one) < off(best) ? one : best));
  const scale = ratio > bucket.width / bucket.height ? bucket.height / height : bucket.width / width;
  const whole = (side: number): number => Math.floor(side * scale + 0.5);
  return { bucket, resized: { width: whole(width), height: whole(height) } };
}
