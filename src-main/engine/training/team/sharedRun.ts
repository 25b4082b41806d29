import * as z from 'zod';
import { distillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import { trainingSettingsType } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { ProviderChoice } from '../../../../src-shared/domain/providers.ts';
import { settingsType } from '../../../../src-shared/domain/settingSchema.ts';
import { faultOf } from '../../../../src-shared/domain/settingValues.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { hasHash } from '../../checkpoints/modelHash.ts';
import { openModel } from '../../checkpoints/openModel.ts';
import { consistencyLora, consistencyObjective } from '../loss/consistencyLoss.ts';
import { finetuneObjective } from '../loss/finetuneObjective.ts';
import { distillObjective } from '../loss/distillLoss.ts';
import type { LatentShape } from '../data/finetuneBatches.ts';
import type { LossOptions } from '../loss/gradients.ts';
import { ShapedGradients } from '../loss/shapedGradients.ts';
import { startSizesType } from '../loss/startingLora.ts';
import { whatToTrain } from '../loss/parameters.ts';

const hashType = z.string().regex(/^[0-9a-f]{16,128}$/);
const latentsType = z.tuple([z.int().min(1).max(64), z.int().min(1).max(512), z.int().min(1).max(512)]);
/** Of a batch's latents together. */
const maxNumbers = 1 << 26;
const fits = (rows: number, [c, h, w]: LatentShape): boolean => rows * c * h * w <= maxNumbers;
const common = { rows: z.int().min(1).max(2048), latents: latentsType, modelHash: hashType };

/**
 * What a worker must know of a run to compute its gradients: all but the data, which comes with every batch. Models are named by
 * the hash of their content, never by a path.
 */
const sharedRunType = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...common,
      kind: z.literal('finetune'),
      settings: trainingSettingsType,
      prior: z.boolean(),
      masked: z.boolean(),
      /** Where a run starts from a LoRA: its modules and ranks. */
      start: startSizesType.optional(),
    }),
    z.strictObject({
      ...common,
      kind: z.literal('distill'),
      settings: settingsType(distillSettings).pick({
        lambdaSd: true,
        lambdaOutput: true,
        lambdaFeature: true,
        precision: true,
      }),
      teacherHash: hashType,
    }),
    z.strictObject({
      ...common,
      kind: z.literal('consistency'),
      settings: settingsType(distillSettings).pick({
        ...{ lora: true, errors: true, seed: true, precision: true },
      }),
      /** Where a run starts from a LoRA: its modules and ranks. */
      start: startSizesType.optional(),
    }),
  ])
  .refine(({ rows, latents }) => fits(rows, latents), 'the batches are too large');
export type SharedRun = z.output<typeof sharedRunType>;

/** Where a worker has its models, and how it computes; the run has no say in it. */
export interface WorkerPlaces {
  readonly model?: string | undefined;
  readonly teacher?: string | undefined;
  /** Models on this machine that may have this hash, where nobody said which to use. */
  readonly known?: ((hash: string) => Iterable<string>) | undefined;
  /** Gets the model of this hash from the run, where it is not on this machine; returns its folder. */
  readonly fetch?: ((hash: string) => Promise<string>) | undefined;
  readonly provider?: ProviderChoice | undefined;
  readonly threads?: number | undefined;
}

/** Builds the run's loss. `sent`: from another machine. Errors: `team.badRun`, `team.otherModel`, `team.noModel`, those of `openModel`. */
export async function openSharedRun(sent: unknown, places: WorkerPlaces): Promise<ShapedGradients> {
  const run = sharedRunType.safeParse(sent);
  if (!run.success) throw problem('team.badRun', { why: faultOf(run.error) });
  const { rows, latents } = run.data;
  const models = {
    model: await openSame(run.data.modelHash, '--model', places.model, places),
    ...(run.data.kind === 'distill' && {
      teacher: await openSame(run.data.teacherHash, '--teacher', places.teacher, places),
    }),
  };
  return ShapedGradients.create(latents, (shape) => {
    if (!fits(rows, shape)) throw problem('team.badRun', { why: 'the batches are too large' });
    return lossOf({ ...run.data, latents: [...shape] }, models, places);
  });
}

interface Models {
  readonly model: Model;
  /** Of a distillation. */
  readonly teacher?: Model;
}

function lossOf(run: SharedRun, { model, teacher = model }: Models, places: WorkerPlaces): LossOptions {
  const { rows, latents } = run;
  const { provider = 'auto', threads } = places;
  const own = { latents, provider, ...(threads && { threads }) };
  if (run.kind === 'finetune') {
    const { settings, prior, masked, start } = run;
    const priorWeight = prior ? (settings.prior?.weight ?? 1) : undefined;
    return finetuneObjective(model, whatToTrain(model, { ...settings, start }), {
      ...{ ...own, rows, priorWeight, masked },
      minSnr: settings.minSnrGamma !== null,
      precision: settings.precision,
      frugal: settings.recompute,
    });
  }
  if (run.kind === 'consistency') {
    const { settings, start } = run;
    const trained = consistencyLora(model, { ...settings, start });
    const { errors, precision } = settings;
    return consistencyObjective(model, trained, { ...own, batch: rows, errors, precision });
  }
  return distillObjective(teacher, model, { ...run.settings, ...own, batch: rows });
}

/** The model of this hash: the one that a person gave, one of this machine's, or the run's own, fetched. */
async function openSame(
  hash: string,
  option: string,
  given: string | undefined,
  { known, fetch }: WorkerPlaces,
): Promise<Model> {
  if (given !== undefined) {
    const model = openModel(given);
    if (!hasHash(model, hash)) throw problem('team.otherModel', { model: given, option });
    return model;
  }
  for (const place of known?.(hash) ?? []) {
    const model = openIfAny(place);
    if (model && hasHash(model, hash)) return model;
  }
  if (!fetch) throw problem('team.noModel', { hash, option });
  return openModel(await fetch(hash));
}

function openIfAny(place: string): Model | undefined {
  try {
    return openModel(place);
  } catch {
    // Not a model, or half of one: not the one that is looked for.
    return undefined;
  }
}
