import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sharp } from '../../sharp.ts';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { makeFolders } from '../../makeFolders.ts';
import type { Output } from '../../../src-shared/contract/index.ts';
import { classNounSchema, tokenSchema, type Subject } from '../../../src-shared/domain/subject.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { inStudio } from '../../../src-shared/messages/inStudio.ts';
import { kohyaFolder } from '../../engine/training/data/kohyaFolder.ts';
import { noPhotosIn } from '../../engine/training/data/photoFolder.ts';
import { captionBeside, captionFileOf, isCaption } from '../../engine/training/data/photoCaptions.ts';
import {
  listPictures,
  loadOpacity,
  loadPicture,
  naturalOrder,
  openPicture,
} from '../../engine/pictures/pictures.ts';
import { claimsPicture, inCloudAlone, pictureKind } from '../../engine/pictures/pictureKinds.ts';
import { encodePng } from '../../engine/pictures/png.ts';
import type { StudioContext } from '../context.ts';
import { markPhoto } from './markPhoto.ts';
import { publicPhoto } from './photoCaption.ts';
import type { StoredPhoto } from '../../storage/photos.ts';
import { findMask, keepMask } from './photoMasks.ts';
import { writeSubjectFile } from '../../storage/subjectFile.ts';

type Added = Output<'photos.addPaths'>;

/**
 * Copies files and the pictures in folders into a subject. Each becomes a photo, was there already, or is refused with a reason.
 */
export async function addPhotos(
  context: Pick<StudioContext, 'library' | 'emit'>,
  subjectId: number,
  paths: readonly string[],
): Promise<Added> {
  const subject = context.library.subjects.get(subjectId);
  const result: Collected = { added: [], duplicates: [], refused: [] };
  // Captions that come with their photos are not reported as unusable files.
  const captions = new Set(paths.filter((one) => !isCaption(one)).map(captionBeside));
  for (const given of paths.filter((one) => !captions.has(one))) {
    const files = await picturesOf(given, result);
    if (files[0] !== given) nameBy(context.library, subjectId, path.basename(given));
    for (const file of files) await addOne(context, subject, file, path.basename(file), result);
  }
  return finish(context, subjectId, result);
}

/** The same for a file's bytes. */
export async function addPhotoBytes(
  context: Pick<StudioContext, 'library' | 'emit'>,
  subjectId: number,
  name: string,
  bytes: Buffer,
): Promise<Added> {
  const subject = context.library.subjects.get(subjectId);
  const result: Collected = { added: [], duplicates: [], refused: [] };
  const folder = context.library.folder.make(subject.folder, 'photos');
  const temporary = path.join(folder, `.${sha256(bytes, 16)}.tmp`);
  try {
    await writeFile(temporary, bytes);
    await addOne(context, subject, temporary, path.basename(name), result);
  } finally {
    await rm(temporary, { force: true });
  }
  return finish(context, subjectId, result);
}

interface Collected {
  readonly added: Added['added'];
  readonly duplicates: Added['duplicates'];
  readonly refused: Added['refused'];
}

function finish(
  { library, emit }: Pick<StudioContext, 'library' | 'emit'>,
  subjectId: number,
  result: Collected,
): Added {
  if (result.added.length > 0) {
    emit('photos.changed', { subjectId });
    emit('subjects.changed', library.subjects.get(subjectId));
  }
  return { ...result, undo: null };
}

/** A folder named for kohya's trainer, `10_sks dog`, says what its photos show; a subject that has a class keeps it. */
function nameBy(
  { subjects, folder: own }: StudioContext['library'],
  subjectId: number,
  folder: string,
): void {
  const named = kohyaFolder(folder);
  const classNoun = classNounSchema.safeParse(named?.noun);
  const token = tokenSchema.safeParse(named?.token);
  if (!classNoun.success || !token.success || subjects.get(subjectId).classNoun !== '') return;
  writeSubjectFile(own, subjects.change(subjectId, { classNoun: classNoun.data, token: token.data }));
}

async function picturesOf(given: string, { refused }: Collected): Promise<string[]> {
  try {
    if (!(await stat(given)).isDirectory()) return [given];
    const names = (await readdir(given)).filter((name) => !name.startsWith('.') && name !== 'subject.json');
    const away = (await readdir(given)).flatMap((name) => inCloudAlone(name) ?? []);
    for (const name of away)
      refused.push({ name, problem: inStudio(problem('photos.inCloud', { file: name })) });
    const files = await listPictures(given).catch(() => eachPicture(given, names));
    if (files.length + away.length === 0) throw await noPhotosIn(given);
    return files.sort(naturalOrder);
  } catch (error) {
    refused.push({ name: path.basename(given), problem: inStudio(error) });
    return [];
  }
}

/** What is a picture or claims to be one, where a file among them keeps the folder from being listed: that one is refused by name. */
async function eachPicture(folder: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const kind = await pictureKind(file).catch(() => 'other');
    if (kind !== 'other' || claimsPicture.test(name)) found.push(file);
  }
  return found;
}

async function addOne(
  { library }: Pick<StudioContext, 'library'>,
  subject: Subject,
  file: string,
  name: string,
  { added, duplicates, refused }: Collected,
): Promise<void> {
  const { photos, folder } = library;
  /** Messages name the person's file, not its temporary copy. */
  const shown: Record<string, string> = path.basename(file).startsWith('.') ? { [file]: name } : {};
  try {
    const opened = await openPicture(file);
    const converted = typeof opened === 'string' ? undefined : await forBrowsers(opened);
    const bytes = converted ?? (await readFile(file));
    const hash = sha256(bytes);
    const twin = photos.byHash(subject.id, hash);
    if (twin) {
      duplicates.push({ name, photoId: twin.id });
      return;
    }
    const place = folder.make(subject.folder, 'photos');
    const inPlace = path.dirname(file) === place;
    const others = (await readdir(place)).filter((other) => !inPlace || other !== name);
    const taken = new Set([...photos.namesIn(subject.id), ...others]);
    const own = freeName(name, (await sharp(bytes).metadata()).format, taken);
    const target = path.join(place, own);
    const partial = path.join(place, `.${own}.${process.pid}.tmp`);
    shown[partial] = shown[file] ?? file;
    try {
      if (converted) await writeFile(partial, converted);
      else if (!inPlace) await copyFile(file, partial);
      // Decodes it completely, so that every added photo can be trained on.
      const { width, height } = await loadPicture(inPlace && !converted ? file : partial);
      if (inPlace && converted) await setAside(file);
      await rename(inPlace && !converted ? file : partial, target);
      await takeCaption(file, target);
      const photo = photos.add({
        ...{ subjectId: subject.id, name: own, width, height },
        ...{ bytes: bytes.length, hash },
      });
      photos.setMarks(photo.id, await markPhoto(target, { width, height, crop: null }));
      photos.setMask(photo.id, findMask(library, subject, photo) ?? (await ownMask(library, photo, target)));
      added.push(publicPhoto(photos.get(photo.id), target));
    } finally {
      await rm(partial, { force: true });
    }
  } catch (error) {
    refused.push({ name, problem: inStudio(error, shown) });
  }
}

/** Copies the caption beside a photo, unless there is one already. */
async function takeCaption(from: string, to: string): Promise<void> {
  const [source, target] = [captionBeside(from), captionFileOf(to)];
  if (source !== undefined && source !== target && !existsSync(target)) await copyFile(source, target);
}

/** Converts a picture that no browser shows, keeping its colours and transparency. */
async function forBrowsers(png: Buffer): Promise<Buffer> {
  const picture = sharp(png).keepIccProfile();
  if ((await picture.stats()).isOpaque)
    return picture.removeAlpha().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
  return picture.png().toBuffer();
}

/** Keeps a person's original that a converted copy replaces, in a folder where nobody looks for photos. */
async function setAside(file: string): Promise<void> {
  const place = path.join(path.dirname(file), '.originals');
  makeFolders(place);
  await rename(file, path.join(place, path.basename(file)));
}

/** The opacity of a partly transparent photo, as its mask. */
async function ownMask(
  library: StudioContext['library'],
  photo: StoredPhoto,
  file: string,
): Promise<string | null> {
  const opacity = await loadOpacity(file);
  if (!opacity) return null;
  return keepMask(library, photo, await encodePng(opacity));
}

/** A free name with the right suffix that every file system accepts. */
function freeName(name: string, format: string, taken: ReadonlySet<string>): string {
  const { name: stem } = path.parse(name);
  const safe =
    stem
      .replace(/[^\p{L}\p{M}\p{N} ._-]/gu, '_')
      .replace(/^[. ]+/, '')
      .slice(0, 80) || 'photo';
  const ending = format === 'jpeg' ? 'jpg' : format === 'heif' ? 'avif' : format;
  for (let number = 1; ; number++) {
    const candidate = `${safe}${number === 1 ? '' : `-${number}`}.${ending}`;
    if (!taken.has(candidate)) return candidate;
  }
}
