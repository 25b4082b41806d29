import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { classPrompts } from '../../engine/training/data/prompts.ts';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { ScoredCheckpoint, Copy, RunScore } from '../../../src-shared/domain/runScore.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { fileHash } from '../../engine/checkpoints/contentHash.ts';
import { isFile, makeFolder } from '../../engine/checkpoints/files.ts';
import { chosenGuidance, ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { copyThreshold, photoViews, printsOf, resemblance } from '../../engine/evaluation/memorization.ts';
import { kneeOf, pickCheckpoint, whyPicked, type Candidate } from '../../engine/evaluation/pick.ts';
import { listPictures, loadPicture } from '../../engine/pictures/pictures.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { openRun } from '../export/openRun.ts';
import { drawCurve } from './curve.ts';
import { drawPictures, type Artist, type DrawnPicture, type Wanted } from './drawPictures.ts';
import { Measures } from './figures.ts';
import { openScorers } from './openScorers.ts';
import { kindOf, scoredPrompts, type ScoredPrompt } from './prompts.ts';
import type { ScoreRequest } from './request.ts';
import { drawSheet } from './sheet.ts';

export interface ScoreResult extends RunScore {
  readonly files: { readonly scores: string; readonly curve: string; readonly contactSheet: string };
}

/** Pictures of the class without the token, for every model. */
const classPictures = 4;
/** Forward passes of a sampling step with guidance; comparing a picture costs about half a pass. */
const passesPerPicture = 2.5;
const comparing = 3;
/** Each prompt has its own seeds, the same for all checkpoints. */
const firstSeed = 1000;

/**
 * Draws the same prompts from the same seeds with every checkpoint and with the base model, compares them with the photos, and
 * picks a checkpoint. Pictures stay in `RUN/scores`, so that a second call draws only what is new. Errors: `run.…`,
 * `score.noPhotos`, those of the scorers' folders and of `TextToImage.generate`.
 */
export async function score(request: ScoreRequest, { report, signal }: JobContext): Promise<ScoreResult> {
  const { run, seeds } = request;
  if (!RunFolder.exists(run)) throw problem('run.missing', { folder: run });
  const folder = new RunFolder(run);
  const { settings, modelHash } = folder.describe();
  const steps = stepsToScore(folder, request.checkpoints, settings);
  const photos = await readPhotos(request, settings);
  const kind = request.kind ?? kindOf(settings.classNoun);
  const prompts = scoredPrompts({ list: request.list, kind }, request.prompts, settings);
  const artists = steps.map((step) => ({ step, artist: openRun(run, step) }));
  const base: Artist = { model: (artists[0] as { artist: Artist }).artist.model, networks: {} };

  const out = join(run, 'scores');
  const each = prompts.length * seeds + classPictures;
  const total = each * (steps.length + 1);
  let before = 0;
  let compared = 0;
  const compare = (pictures: number): void =>
    report({ type: 'progress', done: (compared += pictures), total, label: 'comparing' });
  const passes = request.steps * passesPerPicture;
  report({
    type: 'plan',
    phases: [
      { label: 'pictures', total, weight: passes },
      { label: 'comparing', total, weight: comparing },
    ],
  });
  report({ type: 'progress', done: 0, total, label: 'pictures' });
  const draw = async (
    name: string,
    key: string,
    artist: Artist,
    wanted: Wanted[],
  ): Promise<DrawnPicture[]> => {
    const own = ownGuidance(settings.model, artist === base ? 'bare' : 'subject');
    const sampling = {
      ...{ steps: request.steps, scheduler: request.scheduler },
      ...chosenGuidance(request, own),
    };
    const id = hashOf(JSON.stringify([modelHash, key, wanted, sampling, settings.size]));
    const drawn = await drawPictures(
      join(out, 'pictures', `${name}-${id}`),
      wanted,
      { ...artist, networks: { ...artist.networks, provider: request.provider } },
      { ...sampling, width: settings.size, height: settings.size, signal },
      (done) => report({ type: 'progress', done: before + done, total, label: 'pictures' }),
    );
    before += drawn.length;
    return drawn;
  };
  const asking = (of: keyof ScoredPrompt): Wanted[] => wantedPictures(prompts, of, seeds, settings);

  const scorers = await openScorers(request);
  try {
    const basePictures = await draw('base', '', base, asking('plain'));
    compare(0);
    const measures = await Measures.create(scorers, {
      photos: photos.map(({ picture }) => picture),
      prompts: prompts.map(({ plain }) => plain),
      base: basePictures.map(({ picture }) => picture),
      seeds,
    });
    compare(basePictures.length);
    const copies = copyFinder(photos);
    const checkpoints: ScoredCheckpoint[] = [];
    const candidates: Candidate[] = [];
    const rows = [{ label: 'base model', pictures: basePictures }];
    for (const { step, artist } of artists) {
      signal.throwIfAborted();
      const path = folder.checkpointPath(step);
      const pictures = await draw(basename(path), checkpointHash(path), artist, asking('subject'));
      compare(0);
      const { figures, reach } = await measures.of(pictures.map(({ picture }) => picture));
      const found = pictures.map((picture) => copies.find(picture));
      compare(pictures.length);
      const copied = new Set([...found.keys()].filter((i) => found[i]));
      const memorization = {
        share: copied.size / pictures.length,
        threshold: copies.threshold,
        copies: found.filter((copy) => copy !== undefined),
      };
      const checkpoint = { step, path, figures, reach: reach(copied), memorization };
      checkpoints.push(checkpoint);
      candidates.push({ ...checkpoint, balanceOf: (chosen) => reach(copied, chosen).balance });
      rows.push({ label: `step ${step}`, pictures });
    }
    const pick = pickCheckpoint(candidates, measures.cells);
    const { fidelity, editability } = measures.names;
    const found: RunScore = {
      ...{ run, kind, prompts: prompts.map(({ subject }) => subject), seeds },
      withoutPrompt: scorers.prompt
        ? null
        : 'no scorer here reads text (a CLIP folder would); editability is variety instead',
      ...{
        fidelityBy: fidelity,
        editabilityBy: editability,
        base: measures.ofBase,
        photos: measures.ofPhotos,
      },
      ...{ checkpoints, pick, knee: kneeOf(checkpoints) },
      why: whyPicked(checkpoints, pick, {
        editabilityBy: scorers.prompt ? 'obedience to prompts' : 'variety',
      }),
    };
    return { ...found, files: await writeFiles(out, found, rows) };
  } finally {
    await scorers.dispose();
  }
}

function stepsToScore(
  folder: RunFolder,
  asked: readonly number[] | undefined,
  settings: FinetuneSettings,
): number[] {
  const known = folder.checkpointSteps();
  const missing = asked?.find((step) => !known.includes(step));
  if (missing !== undefined || known.length === 0)
    throw problem('run.noCheckpoint', { folder: folder.path, wanted: String(missing ?? '') });
  return asked ? known.filter((step) => asked.includes(step)) : folder.plannedSteps(settings);
}

interface Photo {
  readonly path: string;
  /** As training sees it: the middle square at the model's size, so that pictures and photos are equally sharp. */
  readonly picture: Picture;
  readonly whole: Picture;
}

async function readPhotos({ photos, run }: ScoreRequest, settings: FinetuneSettings): Promise<Photo[]> {
  const from = photos ?? settings.photos;
  if (from === undefined) throw problem('score.noPhotos', { folder: run });
  const found: Photo[] = [];
  for (const path of await listPictures(from)) {
    const whole = await loadPicture(path);
    found.push({ path, whole, picture: await middleSquare(whole, settings.size) });
  }
  if (found.length === 0) throw problem('photos.none', { folder: from });
  return found;
}

async function middleSquare({ data, width, height }: Picture, size: number): Promise<Picture> {
  const squared = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size, size, { fit: 'cover', kernel: 'linear' })
    .raw()
    .toBuffer();
  return { width: size, height: size, data: squared };
}

function wantedPictures(
  prompts: readonly ScoredPrompt[],
  of: keyof ScoredPrompt,
  seeds: number,
  settings: FinetuneSettings,
): Wanted[] {
  const scenes = prompts.flatMap((prompt, p) =>
    Array.from({ length: seeds }, (_, s) => ({ prompt: prompt[of], seed: firstSeed + p * seeds + s })),
  );
  const ofClass = classPrompts(settings);
  const drawn = Array.from({ length: classPictures }, (_, i) => ({
    prompt: ofClass[i % ofClass.length] ?? '',
    seed: i,
  }));
  return [...scenes, ...drawn];
}

function copyFinder(photos: readonly Photo[]): {
  threshold: number;
  find: (drawn: DrawnPicture) => Copy | undefined;
} {
  const views = photos.map(({ whole }) => photoViews(whole));
  const threshold = copyThreshold(
    photos.map(({ picture }) => picture),
    views,
  );
  return {
    threshold,
    find: ({ path, picture }) => {
      const prints = printsOf(picture);
      const nearest = views
        .map((view, i) => ({ photo: (photos[i] as Photo).path, resemblance: resemblance(prints, view) }))
        .reduce((most, one) => (one.resemblance > most.resemblance ? one : most));
      return nearest.resemblance > threshold ? { picture: path, ...nearest } : undefined;
    },
  };
}

async function writeFiles(
  out: string,
  found: RunScore,
  rows: Parameters<typeof drawSheet>[0],
): Promise<ScoreResult['files']> {
  makeFolder(out);
  const files = {
    scores: join(out, 'scores.json'),
    curve: join(out, 'curve.png'),
    contactSheet: join(out, 'contact-sheet.png'),
  };
  const curve = await drawCurve(found);
  const sheet = await drawSheet(rows);
  writeAtomically(files.curve, () => [curve]);
  writeAtomically(files.contactSheet, () => [sheet]);
  writeAtomically(files.scores, () => [Buffer.from(`${JSON.stringify(found, null, 2)}\n`)]);
  return files;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** A hash of every file's name and content, which tells checkpoints apart. */
function checkpointHash(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (isFile(join(folder, name))) hash.update(`${name} ${fileHash(join(folder, name))};`);
  return hash.digest('hex');
}
