import { cosine, type Features } from '../../../src-main/engine/evaluation/features.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { photosOf, type Subject } from './subjects.ts';

/** All subjects' photos as features, to tell which subject a picture is most like. */
export class Gallery {
  private constructor(
    private readonly features: Features,
    private readonly photos: ReadonlyMap<string, readonly Float32Array[]>,
  ) {}

  static async open(subjects: readonly Subject[], features: Features, size: number): Promise<Gallery> {
    const photos = new Map<string, Float32Array[]>();
    for (const subject of subjects)
      photos.set(subject.name, await features.pictures(await photosOf(subject, size)));
    return new Gallery(features, photos);
  }

  /** The subject whose photos each picture is nearest to by mean cosine, and that cosine to the photos of `name`. */
  async nearest(
    pictures: readonly Picture[],
    name: string,
  ): Promise<{ readonly nearest: string; readonly own: number }[]> {
    const vectors = await this.features.pictures(pictures);
    return vectors.map((vector) => ({
      nearest: this.nearestTo(vector),
      own: likeness(vector, this.photos.get(name) ?? []),
    }));
  }

  /**
   * The most that can be had: share of a subject's photos that are nearest to its other photos. Photo k of a rendered subject was
   * taken where photo k of every other was, so none of those is compared with.
   */
  ceiling(name: string): number {
    const own = this.photos.get(name) ?? [];
    return own.filter((photo, k) => this.nearestTo(photo, k) === name).length / own.length;
  }

  private nearestTo(vector: Float32Array, without?: number): string {
    let [best, most] = ['', -Infinity];
    for (const [name, photos] of this.photos) {
      const near = likeness(
        vector,
        photos.filter((_, k) => k !== without),
      );
      if (near > most) [best, most] = [name, near];
    }
    return best;
  }
}

function likeness(vector: Float32Array, photos: readonly Float32Array[]): number {
  return photos.reduce((sum, photo) => sum + cosine(vector, photo), 0) / photos.length;
}
