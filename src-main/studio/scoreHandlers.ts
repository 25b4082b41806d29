import { existsSync, readdirSync } from 'node:fs';
import type { RunScore, Figures, Mixing } from '../../src-shared/domain/runScore.ts';
import * as z from 'zod';
import { promptListNames, type Measured, type ScoreReport } from '../../src-shared/domain/score.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { withInput, type JobHandling } from '../jobs/kind.ts';
import type { Handlers, StudioContext, Surroundings } from './context.ts';
import { RunFolder } from '../engine/training/run/runFolder.ts';
import { alarmsOf } from '../features/score/alarms.ts';
import { scoreDefaults, type ScoreRequest } from '../features/score/request.ts';

/** Jobs of an earlier version say nothing. */
const scoreInput = z.object({ list: z.enum(promptListNames).default('standard') });

export function scoreHandlers({ library, queue }: StudioContext): Handlers<'scores'> {
  const { runs, subjects, scores, checkpoints } = library;
  return {
    'scores.get': ({ runId }) => {
      runs.get(runId);
      return scores.get(runId);
    },
    'scores.start': ({ runId, list }) => {
      const { name, subjectId } = runs.get(runId);
      if (checkpoints.list(runId).length === 0) throw problem('run.untrained', { name });
      const title = `Scoring ${subjects.get(subjectId).name}`;
      return { jobId: queue.add({ kind: 'score', title, input: { list }, subjectId, runId }).id };
    },
  };
}

/** Scoring as a job: pictures that were drawn before an interruption are not drawn again. */
export function scoreJob(surroundings: Surroundings): JobHandling<'score'> {
  const { runs, folder } = surroundings.library;
  return withInput(scoreInput, {
    task: ({ runId, input: { list } }) => {
      const { folder: place, settings: ofRun } = runs.get(runId ?? 0);
      const checkpoints = new RunFolder(folder.at(place)).plannedSteps(ofRun);
      return { ...scoringOf(surroundings, runId ?? 0), list, checkpoints };
    },
    kept: ({ runId }) => {
      const place = folder.at(runs.get(runId ?? 0).folder, 'scores');
      const names = existsSync(place) ? readdirSync(place, { recursive: true, encoding: 'utf8' }) : [];
      return names.some((name) => name.endsWith('.png')) ? 'The pictures drawn so far are kept' : undefined;
    },
    done: ({ runId }, result) => keepScores(surroundings, runId ?? 0, result),
  });
}

/** How a run's checkpoints are scored here; all of them, with the standard prompts. */
export function scoringOf(
  { library: { runs, folder, settings }, shipped }: Pick<Surroundings, 'library' | 'shipped'>,
  runId: number,
): ScoreRequest {
  const { clipFolder, dinoFolder, provider } = settings.get();
  return {
    ...{ ...scoreDefaults, ...shipped.scorers, run: folder.at(runs.get(runId).folder), provider },
    ...(clipFolder && { clip: clipFolder }),
    ...(dinoFolder && { dino: dinoFolder }),
  };
}

/** Writes down what was measured, and its pick where nobody has picked. */
export function keepScores(
  { library, emit }: Pick<Surroundings, 'library' | 'emit'>,
  runId: number,
  result: RunScore,
): void {
  const { runs, scores, checkpoints } = library;
  const { id, pickedStep } = runs.get(runId);
  const report = reportOf(result);
  library.atomically(() => {
    scores.set(id, report);
    for (const { step, score } of report.checkpoints) checkpoints.setScore(id, step, score);
    if (pickedStep === null && report.pick) runs.change(id, { pickedStep: report.pick.step });
  });
  emit('scores.changed', { runId: id });
  emit('training.changed', runs.get(id));
}

/** The report for the window: each figure by what it measures, and with which features. */
export function reportOf(score: RunScore): ScoreReport {
  const names = Object.keys(score.checkpoints[0]?.figures ?? {});
  const named = (what: string): string | undefined => {
    const candidates = names.filter((name) => name.startsWith(what));
    return (
      candidates.find((name) => name === score.fidelityBy || name === score.editabilityBy) ?? candidates[0]
    );
  };
  const chosen = {
    subject: named('subject'),
    prompt: named('prompt'),
    variety: named('variety'),
    leak: names.find((name) => /leak/.test(name)),
  };
  const figure = (figures: Figures, name: string | undefined): Measured | null =>
    name === undefined ? null : (figures[name] ?? null);
  return {
    checkpoints: score.checkpoints.map(({ step, figures, memorization }) => ({
      step,
      score: {
        subject: figure(figures, chosen.subject),
        prompt: figure(figures, chosen.prompt),
        variety: figure(figures, chosen.variety),
        leak: figure(figures, chosen.leak),
        memorized: memorization.copies.length > 0,
      },
    })),
    prompts: score.prompts.flatMap((prompt) => Array<string>(score.seeds).fill(prompt)),
    pick: { step: score.pick, reason: score.why },
    curve: {
      ...{ knee: score.knee, fidelityBy: score.fidelityBy, editabilityBy: score.editabilityBy },
      points: score.checkpoints.map(({ step, reach: { fidelity, editability } }) => ({
        step,
        fidelity,
        editability,
      })),
    },
    subjects: (score.subjects ?? []).map(({ name, photos, base, checkpoints }) => ({
      name,
      photos: apartOf(photos.mixing),
      base: apartOf(base.mixing),
      checkpoints: checkpoints.map(({ step, mixing }) => ({ step, apart: apartOf(mixing) })),
    })),
    warnings: [...(score.withoutPrompt === null ? [] : [score.withoutPrompt]), ...alarmsOf(score)],
    features: Object.fromEntries(Object.entries(chosen).filter(([, name]) => name !== undefined)) as Record<
      string,
      string
    >,
  };
}

function apartOf({ own, others, mixed }: Mixing): ScoreReport['subjects'][number]['base'] {
  return { own, others: others.map(({ name, likeness }) => ({ name, likeness })), mixed };
}
