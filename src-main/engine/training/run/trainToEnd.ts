import type { JobContext } from '../../../../src-shared/domain/jobEvents.ts';
import type { LoopSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import type { Model } from '../../checkpoints/model.ts';
import { findBadValues, type Weights } from '../../checkpoints/weights.ts';
import type { Feeds, GradientSource, LossOptions } from '../loss/gradients.ts';
import type { Trained } from '../loss/parameters.ts';
import { gatherTeam, type LocalPlaces, type TeamSettings } from '../team/gather.ts';
import type { SharedRun } from '../team/sharedRun.ts';
import { writeTrained } from './checkpoint.ts';
import { trainingLoop, type RunResult } from './loop.ts';
import { building } from './plan.ts';
import type { RunFolder } from './runFolder.ts';
import { shownWeights, type ShownWeights } from './shownWeights.ts';
import { Trainer } from './trainer.ts';

/** What a run of any kind is started with. */
export interface RunOptions<Settings> {
  readonly settings: Settings;
  /** The run's folder; a run that is already there continues. */
  readonly out: string;
  /** This program's version, kept with the run. */
  readonly version: string;
  /** Where what was made for this run (class pictures, latents, text features) is kept for the next one. */
  readonly cache: string;
  /** Others that compute; this process alone when left out. */
  readonly team?: TeamSettings | undefined;
}

/** A run that is ready to train: what finetuning and distillation do not share. */
export interface Training {
  readonly run: RunFolder;
  readonly settings: LoopSettings & { readonly ema: number | null; readonly provider: ProviderChoice };
  /** The model whose weights `trained` are. */
  readonly model: Model;
  readonly trained: Trained;
  readonly loss: LossOptions;
  /** What computes gradients without a team; one session of `loss` when left out. */
  readonly alone?: () => Promise<GradientSource>;
  /** Each parameter's learning rate; that of `settings` when left out. */
  readonly rateOf?: ((name: string) => number) | undefined;
  /** The inputs of batch 0, 1, …: a function of the number alone. */
  readonly batch: (index: number) => Feeds;
  /** Batches whose loss is measured before the first step and after the last. */
  readonly measured?: readonly Feeds[];
  readonly draw: (
    path: string,
    shown: ShownWeights,
    onStep: (done: number, total: number) => void,
  ) => Promise<string>;
  /** Weights that may be to blame for a loss that is no number. */
  readonly suspects: readonly Weights[];
  readonly team?: TeamSettings | undefined;
  /** What is sent to a team about the run, and where the models are on this machine. */
  readonly shared: SharedRun;
  readonly places: LocalPlaces;
}

/** Builds the trainer, alone or with a team, and takes the run to its last step. Errors: those of `trainingLoop`, `team.…`. */
export async function trainToEnd(training: Training, context: JobContext): Promise<RunResult> {
  const { run, settings, model, trained, loss, rateOf, measured = [], shared, places, team } = training;
  const built = (done: number): void => context.report({ type: 'progress', ...building, done });
  built(0);
  const trainer = await Trainer.create({
    ...{ ...loss, initial: trained.initial, optimizer: settings, rateOf },
    source: team ? await gatherTeam(loss, shared, places, team, context) : await training.alone?.(),
  });
  built(1);
  const shown = shownWeights(trainer, settings.ema);
  try {
    return await trainingLoop(
      {
        ...{ run, trainer, batch: training.batch, ...shown.upkeep },
        settings: rateOf ? { ...settings, learningRate: 1 } : settings,
        ...(measured.length > 0 && { measure: () => subjectLoss(trainer, measured) }),
        write: (folder) => writeTrained(folder, model, trained, shown.value),
        draw: (path, onStep) => training.draw(path, shown, onStep),
        blame: () => training.suspects.forEach(findBadValues),
      },
      context,
    );
  } finally {
    await trainer.dispose();
  }
}

/** The mean loss of batches; with prior preservation, the subject's part of it. */
async function subjectLoss(trainer: Trainer, batches: readonly Feeds[]): Promise<number> {
  const { loss = NaN, subject = loss } = await trainer.measure(batches);
  return subject;
}
