import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { ScoredCheckpoint, RunScore, SubjectScore } from '../../../src-shared/domain/runScore.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { fileHash, sha256 } from '../../engine/checkpoints/contentHash.ts';
import { isFile, makeFolder } from '../../engine/checkpoints/files.ts';
import { chosenGuidance, ownGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { mean } from '../../engine/evaluation/confidence.ts';
import { kneeOf, pickCheckpoint, whyPicked, type Candidate } from '../../engine/evaluation/pick.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { openRun } from '../export/openRun.ts';
import { drawCurve } from './curve.ts';
import { drawPictures, type Artist, type DrawnPicture, type Wanted } from './drawPictures.ts';
import { Measures } from './figures.ts';
import { meanFigures, meanOfSubjects } from './meanOfSubjects.ts';
import { mixingOf, mixingOfPhotos } from './mixing.ts';
import { openScorers } from './openScorers.ts';
import type { ScoredPrompt } from './prompts.ts';
import type { ScoreRequest } from './request.ts';
import { copyFinder, picturesOf, scoredSubjects, wantedPictures } from './scoredSubject.ts';
import { drawSheet } from './sheet.ts';

export interface ScoreResult extends RunScore {
  readonly files: { readonly scores: string; readonly curve: string; readonly contactSheet: string };
}

/** Forward passes of a sampling step with guidance; comparing a picture costs about half a pass. */
const passesPerPicture = 2.5;
const comparing = 3;

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
  const subjects = await scoredSubjects(request, settings);
  const artists = steps.map((step) => ({ step, artist: openRun(run, step) }));
  const base: Artist = { model: (artists[0] as { artist: Artist }).artist.model, networks: {} };

  const out = join(run, 'scores');
  const asking = (of: keyof ScoredPrompt): Wanted[] => wantedPictures(subjects, of, seeds);
  const total = asking('plain').length * (steps.length + 1);
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
    const id = sha256(JSON.stringify([modelHash, key, wanted, sampling, settings.size]), 12);
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

  const scorers = await openScorers(request);
  try {
    const basePictures = await draw('base', '', base, asking('plain'));
    compare(0);
    const measures: Measures[] = [];
    for (const [i, { photos, prompts }] of subjects.entries())
      measures.push(
        await Measures.create(scorers, {
          photos: photos.map(({ picture }) => picture),
          prompts: prompts.map(({ plain }) => plain),
          base: picturesOf(basePictures, subjects, i, seeds).map(({ picture }) => picture),
          seeds,
        }),
      );
    compare(basePictures.length);
    const seen = subjects.map(({ name }, i) => ({ name, photos: (measures[i] as Measures).photos }));
    const several = subjects.length > 1;
    const copies = subjects.map(({ photos }) => copyFinder(photos));
    const checkpoints: ScoredCheckpoint[] = [];
    const candidates: Candidate[] = [];
    const ofSubjects = subjects.map((): SubjectScore['checkpoints'][number][] => []);
    const rows = [{ label: 'base model', pictures: basePictures }];
    for (const { step, artist } of artists) {
      signal.throwIfAborted();
      const path = folder.checkpointPath(step);
      const pictures = await draw(basename(path), checkpointHash(path), artist, asking('subject'));
      compare(0);
      const parts: (Pick<ScoredCheckpoint, 'figures' | 'reach' | 'memorization'> &
        Pick<Candidate, 'balanceOf'>)[] = [];
      for (const [i, measure] of measures.entries()) {
        const own = picturesOf(pictures, subjects, i, seeds);
        const { figures, reach, scenes } = await measure.of(own.map(({ picture }) => picture));
        const { find, threshold } = copies[i] as (typeof copies)[number];
        const found = own.map((picture) => find(picture));
        const copied = new Set([...found.keys()].filter((at) => found[at]));
        const memorization = {
          share: copied.size / own.length,
          threshold,
          copies: found.filter((copy) => copy !== undefined),
        };
        const part = { figures, reach: reach(copied), memorization };
        parts.push({ ...part, balanceOf: (chosen) => reach(copied, chosen).balance });
        if (several) ofSubjects[i]?.push({ step, ...part, mixing: mixingOf(scenes, seen, i, seeds) });
      }
      compare(pictures.length);
      const checkpoint = { step, path, ...meanOfSubjects(parts.map(({ balanceOf: _, ...part }) => part)) };
      checkpoints.push(checkpoint);
      candidates.push({
        ...checkpoint,
        balanceOf: (chosen) => mean(parts.map(({ balanceOf }) => balanceOf(chosen))),
      });
      rows.push({ label: `step ${step}`, pictures });
    }
    const [first] = measures;
    if (!first) throw new Error('a run has at least one subject');
    const pick = pickCheckpoint(candidates, first.cells);
    const { fidelity, editability } = first.names;
    const found: RunScore = {
      ...{ run, kind: subjects[0].kind, seeds },
      prompts: subjects.flatMap(({ prompts }) => prompts.map(({ subject }) => subject)),
      withoutPrompt: scorers.prompt
        ? null
        : 'no scorer here reads text (a CLIP folder would); editability is variety instead',
      ...{
        fidelityBy: fidelity,
        editabilityBy: editability,
        base: meanFigures(measures.map(({ ofBase }) => ofBase)),
        photos: meanFigures(measures.map(({ ofPhotos }) => ofPhotos)),
      },
      ...{ checkpoints, pick, knee: kneeOf(checkpoints) },
      why: whyPicked(checkpoints, pick, {
        editabilityBy: scorers.prompt ? 'obedience to prompts' : 'variety',
      }),
      ...(several && {
        subjects: subjects.map(({ name, kind, prompts }, i): SubjectScore => {
          const { ofBase, ofPhotos, baseScenes } = measures[i] as Measures;
          return {
            ...{ name, kind, prompts: prompts.map(({ subject }) => subject) },
            base: { figures: ofBase, mixing: mixingOf(baseScenes, seen, i, seeds) },
            photos: { figures: ofPhotos, mixing: mixingOfPhotos(seen, i) },
            checkpoints: ofSubjects[i] ?? [],
          };
        }),
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

/** A hash of every file's name and content, which tells checkpoints apart. */
function checkpointHash(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (isFile(join(folder, name))) hash.update(`${name} ${fileHash(join(folder, name))};`);
  return hash.digest('hex');
}
