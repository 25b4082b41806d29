import type { PhotoSetReport } from '../../../src-shared/domain/photo.ts';
import { setAdvice } from '../../features/photos/advice.ts';
import { smallPictures, type SmallPictures } from '../../features/photos/lookAt.ts';
import { nearDuplicates } from '../../features/photos/nearDuplicates.ts';
import type { StoredPhoto } from '../../storage/photos.ts';
import type { StudioContext } from '../context.ts';
import { markOf } from './markPhoto.ts';

/** Sets that are remembered. */
const mostKnown = 50;

/** What preflight says of a subject's photos together, as `likeness photos` does. A set is looked through once, until a photo comes, goes or is cropped. */
export class PhotoReports {
  private readonly duplicates = new Map<string, [string, string][]>();
  /** No entry: not asked for yet. `undefined`: asked for, or could not be found out. */
  private readonly varieties = new Map<string, number | null | undefined>();

  constructor(
    private readonly context: StudioContext,
    /** Where a photo is. */
    private readonly fileOf: (photo: StoredPhoto) => string,
  ) {}

  /** Variety needs a network, and no session runs in this process: it comes a moment later, with `photos.changed`. */
  async of(subjectId: number, list: readonly StoredPhoto[]): Promise<PhotoSetReport> {
    const usable = list.filter(({ missing }) => !missing);
    const key = usable.map(({ id, hash, crop }) => JSON.stringify([id, hash, crop])).join();
    const duplicates = await this.duplicatesAmong(key, usable);
    if (!this.varieties.has(key)) void this.askVariety(key, subjectId, usable);
    const variety = this.varieties.get(key) ?? null;
    const marks = setAdvice({ count: usable.length, duplicates, variety }).map((advice) =>
      markOf(advice, advice.code === 'none' ? 'stop' : 'warn'),
    );
    return { ready: usable.length > 0, marks };
  }

  private async askVariety(key: string, subjectId: number, photos: readonly StoredPhoto[]): Promise<void> {
    keep(this.varieties, key, photos.length < 2 ? null : undefined);
    if (photos.length < 2) return;
    const { queue, shipped, emit } = this.context;
    const variety = await queue.variety({
      photos: photos.map((photo) => {
        const { width, height, crop } = photo;
        return { path: this.fileOf(photo), width, height, crop };
      }),
      mobileNet: shipped.scorers.mobileNet,
    });
    if (variety === undefined) return;
    keep(this.varieties, key, variety);
    emit('photos.changed', { subjectId });
  }

  private async duplicatesAmong(key: string, photos: readonly StoredPhoto[]): Promise<[string, string][]> {
    const before = this.duplicates.get(key);
    if (before) return before;
    const looked: (SmallPictures & { readonly name: string })[] = [];
    for (const photo of photos) {
      // If a file went away meanwhile, the next scan of the folder marks it as missing.
      const pictures = await smallPictures(this.fileOf(photo), photo).catch(() => undefined);
      if (pictures) looked.push({ name: photo.name, ...pictures });
    }
    const found = (await nearDuplicates(looked)).map(([a, b]): [string, string] => [a.name, b.name]);
    if (looked.length === photos.length) keep(this.duplicates, key, found);
    return found;
  }
}

function keep<T>(known: Map<string, T>, key: string, value: T): void {
  if (known.size >= mostKnown) known.clear();
  known.set(key, value);
}
