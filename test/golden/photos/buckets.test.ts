import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bucketLimits,
  makeBuckets,
  selectBucket,
  type BucketLimits,
} from '../../../src-main/engine/training/data/aspectBuckets.ts';

interface Golden {
  readonly limits: BucketLimits;
  readonly buckets: readonly (readonly [number, number])[];
  readonly photos: readonly {
    readonly photo: readonly [number, number];
    readonly bucket: readonly [number, number];
    readonly resized: readonly [number, number];
    readonly left: number;
    readonly top: number;
  }[];
}

const file = join(import.meta.dirname, '..', 'fixtures', 'photos', 'buckets.json');
const goldens = JSON.parse(readFileSync(file, 'utf8')) as Golden[];

describe.each(goldens)('buckets for $limits.size pixels', ({ limits, buckets, photos }) => {
  const made = makeBuckets(limits);

  it("are kohya's, in its order", () => {
    expect(made.map(({ width, height }) => [width, height])).toEqual(buckets);
  });

  it.each(photos)('$photo goes where kohya puts it', ({ photo, bucket, resized, left, top }) => {
    const [width, height] = photo;
    const found = selectBucket(made, { width, height });
    expect([found.bucket.width, found.bucket.height]).toEqual(bucket);
    expect([found.resized.width, found.resized.height]).toEqual(resized);
    const room = (whole: number, part: number): number => Math.floor((whole - part) / 2);
    expect(room(found.resized.width, found.bucket.width)).toBe(left);
    expect(room(found.resized.height, found.bucket.height)).toBe(top);
  });
});

it('limits are those of kohya for 512 pixels, and in proportion for others', () => {
  expect(bucketLimits(512, 8)).toEqual({ size: 512, least: 256, most: 1024, step: 64 });
  expect(bucketLimits(1024, 8)).toEqual({ size: 1024, least: 512, most: 2048, step: 64 });
  expect(bucketLimits(128, 8)).toEqual({ size: 128, least: 64, most: 256, step: 16 });
  expect(bucketLimits(32, 8)).toEqual({ size: 32, least: 16, most: 64, step: 8 });
});
