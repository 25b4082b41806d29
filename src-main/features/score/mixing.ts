import type { Mixing } from '../../../src-shared/domain/runScore.ts';
import { mean } from '../../engine/evaluation/confidence.ts';
import { likenessToPhotos, photoFidelity, subjectFidelity } from '../../engine/evaluation/subjectScores.ts';

type Vectors = readonly Float32Array[];

/** One of a run's subjects, by its features: its photos, and its name in prompts. */
export interface SeenSubject {
  readonly name: string;
  readonly photos: Vectors;
}

/**
 * How far subject `index` is mixed up with the others, by its pictures [prompt·seed]: their likeness to its own photos beside that to each
 * other's, and the share of pictures that are more like another's photos than like its own.
 */
export function mixingOf(
  pictures: Vectors,
  subjects: readonly SeenSubject[],
  index: number,
  seeds: number,
): Mixing {
  const likeness = subjects.map(({ photos }) => likenessToPhotos(pictures, photos));
  const own = likeness[index] ?? [];
  const mixed = own.map((value, i) =>
    Number(likeness.some((other, s) => s !== index && (other[i] ?? 0) > value)),
  );
  return {
    own: subjectFidelity(pictures, subjects[index]?.photos ?? [], seeds),
    others: subjects.flatMap(({ name, photos }, s) =>
      s === index ? [] : [{ name, likeness: subjectFidelity(pictures, photos, seeds) }],
    ),
    mixed: mean(mixed),
  };
}

/** The same of the photos themselves: as far apart as pictures can be kept. Each photo is compared with the others of its subject. */
export function mixingOfPhotos(subjects: readonly SeenSubject[], index: number): Mixing {
  const photos = subjects[index]?.photos ?? [];
  const nearest = (photo: Float32Array, s: number): number => {
    const others = (subjects[s]?.photos ?? []).filter((other) => other !== photo);
    return others.length === 0 ? 1 : mean(likenessToPhotos([photo], others));
  };
  const mixed = photos.map((photo) =>
    Number(subjects.some((_, s) => s !== index && nearest(photo, s) > nearest(photo, index))),
  );
  return {
    own: photoFidelity(photos),
    others: subjects.flatMap(({ name, photos: other }, s) =>
      s === index ? [] : [{ name, likeness: subjectFidelity(photos, other, 1) }],
    ),
    mixed: mean(mixed),
  };
}
