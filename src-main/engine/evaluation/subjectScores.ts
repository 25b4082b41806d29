import type { Estimate } from '../../../src-shared/domain/runScore.ts';
import { bootstrap, cellsOf, mean } from './confidence.ts';
import { cosine } from './features.ts';

type Vectors = readonly Float32Array[];

/** Mean cosine of each picture to all photos (DreamBooth, Ruiz et al. 2022, section 4.2: what DINO and CLIP-I are there). */
export function likenessToPhotos(pictures: Vectors, photos: Vectors): number[] {
  return pictures.map((picture) => mean(photos.map((photo) => cosine(picture, photo))));
}

/** Subject fidelity: how like the photos the pictures [prompt·seed] are. */
export function subjectFidelity(pictures: Vectors, photos: Vectors, seeds: number): Estimate {
  return bootstrap(cellsOf(likenessToPhotos(pictures, photos), seeds), mean);
}

/** Photos compared with each other: the most that pictures can reach. 1 for a single photo. */
export function photoFidelity(photos: Vectors): Estimate {
  if (photos.length < 2) return { value: 1, low: 1, high: 1 };
  return bootstrap(
    photos.map((_, i) => [i]),
    (chosen) => 1 - meanDistance(photos, chosen),
  );
}

/** Cosine of each picture [prompt·seed] to its prompt. */
export function likenessToPrompts(pictures: Vectors, prompts: Vectors, seeds: number): number[] {
  return pictures.map((picture, i) => cosine(picture, prompts[Math.floor(i / seeds)] as Float32Array));
}

/** Prompt fidelity: how like their prompts the pictures [prompt·seed] are. */
export function promptFidelity(pictures: Vectors, prompts: Vectors, seeds: number): Estimate {
  return bootstrap(cellsOf(likenessToPrompts(pictures, prompts, seeds), seeds), mean);
}

/** Prompt fidelity of pictures that show something else: cosine to the other prompts. */
export function promptFidelityByChance(pictures: Vectors, prompts: Vectors, seeds: number): number {
  return mean(
    pictures.flatMap((picture, i) =>
      prompts.flatMap((prompt, p) => (p === Math.floor(i / seeds) ? [] : [cosine(picture, prompt)])),
    ),
  );
}

/** Variety: mean of 1 − cosine over pairs of pictures [prompt·seed]. */
export function variety(pictures: Vectors, seeds: number): Estimate {
  return bootstrap(cellsOf([...pictures.keys()], seeds), (chosen) => meanDistance(pictures, chosen));
}

/** Mean of 1 − cosine over all pairs of different pictures among the chosen. NaN if there is no pair. */
export function meanDistance(vectors: Vectors, chosen: readonly number[]): number {
  const count = new Map<number, number>();
  for (const i of chosen) count.set(i, (count.get(i) ?? 0) + 1);
  const found = [...count];
  let [sum, weights] = [0, 0];
  for (const [at, [i, times]] of found.entries())
    for (const [j, others] of found.slice(at + 1)) {
      sum += times * others * distanceOf(vectors, i, j);
      weights += times * others;
    }
  return sum / weights;
}

const distances = new WeakMap<Vectors, Map<number, number>>();

/** 1 − cosine; each pair is computed once, as the bootstrap asks for it a thousand times. */
function distanceOf(vectors: Vectors, i: number, j: number): number {
  const known = distances.get(vectors) ?? new Map<number, number>();
  distances.set(vectors, known);
  const key = Math.min(i, j) * vectors.length + Math.max(i, j);
  let distance = known.get(key);
  if (distance === undefined) {
    distance = 1 - cosine(vectors[i] as Float32Array, vectors[j] as Float32Array);
    known.set(key, distance);
  }
  return distance;
}

/** A shorter distance than this, in cosine, measures nothing. */
const leastWay = 0.05;

/**
 * Class leak: how far pictures of the class, drawn without the token, moved towards the subject. 0: like the base model's from the
 * same seeds. 1: as like the photos as these are to each other. Negative: away from the subject. Null where photos are hardly
 * nearer to each other than to the base model's class: then these features can't tell.
 */
export function classLeak(pictures: Vectors, base: Vectors, photos: Vectors): Estimate | null {
  const [now, before] = [likenessToPhotos(pictures, photos), likenessToPhotos(base, photos)];
  const way = photoFidelity(photos).value - mean(before);
  if (way < leastWay) return null;
  const moved = now.map((value, i) => (value - (before[i] as number)) / way);
  return bootstrap(
    moved.map((value) => [value]),
    mean,
  );
}
