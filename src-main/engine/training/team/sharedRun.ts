import type { DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { hasHash } from '../../checkpoints/modelHash.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { distillObjective } from '../loss/distillLoss.ts';
import { finetuneObjective } from '../loss/diffusionLoss.ts';
import { LocalGradients, type LossOptions } from '../loss/gradients.ts';
import { whatToTrain } from '../loss/parameters.ts';

interface Shared {
  /** Rows of a batch. */
  readonly rows: number;
  readonly latents: readonly [number, number, number];
  /** Of the model that is trained. */
  readonly modelHash: string;
}

/** What a worker must know of a run to compute its gradients: all but the data, which comes with every batch. */
export type SharedRun =
  | (Shared & {
      readonly kind: 'finetune';
      readonly settings: FinetuneSettings;
      readonly prior: boolean;
      readonly masked: boolean;
    })
  | (Shared & { readonly kind: 'distill'; readonly settings: DistillSettings; readonly teacherHash: string });

/** Where a worker has things that lie elsewhere than on the run's machine, and how it computes. */
export interface WorkerPlaces {
  readonly model?: string | undefined;
  readonly teacher?: string | undefined;
  readonly provider?: ProviderChoice | undefined;
  readonly threads?: number | undefined;
}

/** Builds the run's loss. Errors: `team.otherModel`, those of `openModel`. */
export function openSharedRun(run: SharedRun, places: WorkerPlaces): Promise<LocalGradients> {
  return LocalGradients.create(lossOf(run, places));
}

function lossOf(run: SharedRun, places: WorkerPlaces): LossOptions {
  const { rows, latents } = run;
  const provider = places.provider ?? run.settings.provider;
  const common = { latents, provider, ...(places.threads && { threads: places.threads }) };
  if (run.kind === 'finetune') {
    const { settings, prior, masked } = run;
    const model = openSame(places.model ?? settings.model, '--model', run.modelHash);
    const priorWeight = prior ? (settings.prior?.weight ?? 1) : undefined;
    return finetuneObjective(model, whatToTrain(model, settings), {
      ...{ ...common, rows, priorWeight, masked },
      minSnr: settings.minSnrGamma !== null,
    });
  }
  const { settings } = run;
  const student = openSame(places.model ?? settings.student, '--model', run.modelHash);
  const teacher = openSame(places.teacher ?? settings.teacher, '--teacher', run.teacherHash);
  return distillObjective(teacher, student, { ...settings, ...common, batch: rows });
}

function openSame(path: string, option: string, hash: string): Model {
  const model = openModel(path);
  if (!hasHash(model, hash)) throw problem('team.otherModel', { model: path, option });
  return model;
}
