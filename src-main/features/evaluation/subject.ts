import { parse } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { readLines } from '../../engine/training/data/writtenText.ts';
import { ClipFeatures } from '../../engine/evaluation/clip.ts';
import { meanOfPairs, meanOfPartners, type Features } from '../../engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../engine/evaluation/mobileNetFeatures.ts';
import { VitFeatures } from '../../engine/evaluation/visionTransformer.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import { folded } from '../../engine/training/data/sameName.ts';
import { readPromptTable } from '../../engine/training/data/promptFiles.ts';
import { listPictures } from '../../engine/pictures/pictures.ts';
import { look, meanLikeness } from './look.ts';
import type { SubjectRequest } from './request.ts';

/** Each figure −1…1; null where its network or the prompts were not given. */
export interface SubjectScores {
  readonly clipI: number | null;
  readonly dino: number | null;
  readonly clipT: number | null;
  /** As CLIP-I, by the MobileNetV2 that comes with Likeness: for comparing here, never with published figures. */
  readonly mobileNet: number | null;
  readonly photos: number;
  readonly images: number;
}

/**
 * CLIP-I, DINO and CLIP-T as DreamBooth (Ruiz et al. 2023, section 4.2) defines them. Errors: `evaluate.counts`,
 * `evaluate.noPictures`, those of `listPhotos` and of the readers of pictures and networks.
 */
export async function evaluateSubject(request: SubjectRequest, context: JobContext): Promise<SubjectScores> {
  const photos = await listPhotos(request.photos);
  const images = await picturesOf(request.images);
  const prompts =
    request.prompts === undefined ? undefined : promptsOf(request.prompts, request.images, images);
  const counts = { photos: photos.length, images: images.length };
  const scores = { clipI: null, dino: null, clipT: null, mobileNet: null, ...counts };
  const missing = (message: string): Partial<SubjectScores> => {
    context.report({ type: 'note', message });
    return {};
  };
  const likeness = (network: Features): Promise<number> => meanLikeness(network, photos, images, context);
  return {
    ...scores,
    ...(request.clip === undefined
      ? missing('CLIP-I and CLIP-T are left out: no CLIP model was given.')
      : await withClip(request.clip, photos, images, prompts, request, context)),
    ...(request.dino === undefined
      ? missing('DINO is left out: no DINO model was given.')
      : { dino: await likeness(await VitFeatures.open(request.dino, request.provider)) }),
    ...(request.mobileNet !== undefined && {
      mobileNet: await likeness(await MobileNetFeatures.open(request.mobileNet)),
    }),
  };
}

async function withClip(
  folder: string,
  photos: readonly string[],
  images: readonly string[],
  prompts: readonly string[] | undefined,
  { provider }: SubjectRequest,
  context: JobContext,
): Promise<{ clipI: number; clipT: number | null }> {
  const clip = await ClipFeatures.open(folder, provider);
  try {
    const seen = await look(clip, [...photos, ...images], 'CLIP', context);
    const [subject, made] = [seen.slice(0, photos.length), seen.slice(photos.length)];
    const clipT = prompts ? meanOfPartners(made, await clip.prompts(prompts)) : null;
    if (clipT === null)
      context.report({ type: 'note', message: 'CLIP-T is left out: no prompts were given.' });
    return { clipI: meanOfPairs(subject, made), clipT };
  } finally {
    await clip.dispose();
  }
}

/** Errors: `evaluate.noPictures`, those of `listPictures`. */
export async function picturesOf(folder: string): Promise<string[]> {
  const pictures = await listPictures(folder);
  if (!pictures.length) throw problem('evaluate.noPictures', { folder });
  return pictures;
}

/**
 * The prompt of each picture: the lines of a text file (empty ones at its end don't count), or the rows of a table (`.csv`) by
 * picture name, as `generate --prompts` reads it. Errors: `evaluate.counts`, `evaluate.noRow`, those of `readPromptTable`.
 */
export function promptsOf(file: string, folder: string, pictures: readonly string[]): string[] {
  if (/\.csv$/i.test(file)) return rowsOf(file, pictures);
  const lines = readLines(file);
  while (lines.at(-1)?.trim() === '') lines.pop();
  if (lines.length !== pictures.length)
    throw problem('evaluate.counts', { file, lines: lines.length, folder, pictures: pictures.length });
  return lines.map((line) => line.trim());
}

function rowsOf(file: string, pictures: readonly string[]): string[] {
  const { prompts, names } = readPromptTable(file);
  const stem = (name: string): string => folded(parse(name).name);
  const byName = new Map(names.map((name, i) => [stem(name), prompts[i] as string]));
  return pictures.map((picture) => {
    const prompt = byName.get(stem(picture));
    if (prompt === undefined) throw problem('evaluate.noRow', { file, picture });
    return prompt;
  });
}
