import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eachSubject, subjectAsked } from '../../../src-shared/domain/runSubjects.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { weightsOf, type Model, type NetworkName } from '../../engine/checkpoints/model.ts';
import { hasHash, partsHash, partsHaveHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { readF32, Weights } from '../../engine/checkpoints/weights.ts';
import type { WeightLookup } from '../../engine/pipelines/weights.ts';
import { sameShape } from '../../engine/tensor/tensor.ts';
import { readWholeNetworks, wholeTensor } from '../../engine/training/run/checkpoint.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import type { GenerateRequest, LoraChoice } from './request.ts';

/** The run that a folder is, or is a checkpoint of. */
function runOf(path: string): RunFolder | undefined {
  if (RunFolder.exists(path)) return new RunFolder(path);
  const run = join(path, '..', '..');
  return basename(join(path, '..')) === 'checkpoints' && RunFolder.exists(run)
    ? new RunFolder(run)
    : undefined;
}

/** The runs among `loras`, each a run's folder or one of its checkpoints. */
const runsOf = (loras: readonly LoraChoice[]): RunFolder[] => loras.flatMap(({ path }) => runOf(path) ?? []);

/** The model that a run trains. Errors: `run.damaged`. */
function modelOfRun(run: RunFolder): string {
  return run.kind() === 'distill' ? run.describe('distill').settings.student : run.describe().settings.model;
}

/**
 * The model that the first run among `loras` was trained on; undefined without a run. `instead` takes its place where it is the same: a
 * run that was made elsewhere has the shipped model in another folder. Errors: `run.damaged`, `run.otherModel`, `run.modelGone`.
 */
export function modelFor(loras: readonly LoraChoice[], instead: string): string | undefined {
  const [run] = runsOf(loras);
  if (run === undefined) return undefined;
  const model = modelOfRun(run);
  const { path: folder } = run;
  const isOfRun = (place: string): boolean => hasHash(openModel(place), run.modelHash());
  if (existsSync(model)) {
    if (!isOfRun(model)) throw problem('run.otherModel', { folder, model });
    return model;
  }
  if (existsSync(instead) && isOfRun(instead)) return instead;
  throw problem('run.modelGone', { folder, model, option: '--model' });
}

/** What the model predicts according to runs that were trained on it, where its file does not say. Errors: `run.damaged`. */
export function predictionOfRuns({
  model,
  loras,
}: Pick<GenerateRequest, 'model' | 'loras'>): Prediction | undefined {
  const trained = runsOf(loras).flatMap((run) =>
    run.kind() === 'finetune' ? [run.describe().settings] : [],
  );
  return trained.find((settings) => settings.model === model)?.prediction;
}

/**
 * Photos of the subject that is drawn: those that were said, else those of the first run among `loras`; of several subjects, the one that
 * `prompts` name. Errors: `likeness.noPhotos`, `run.damaged`.
 */
export function photosOf(
  loras: readonly LoraChoice[],
  said: string | undefined,
  prompts: readonly string[],
): string {
  const run = runsOf(loras).find((one) => one.kind() === 'finetune');
  const settings = run?.describe().settings;
  const asked = settings && eachSubject(settings)[subjectAsked(settings, prompts) ?? 0];
  const photos = said ?? asked?.photos;
  if (photos === undefined || !existsSync(photos))
    throw problem('likeness.noPhotos', { photos: photos ?? 'the photos of the subject' });
  return photos;
}

/** A run, or one of its checkpoints, given as the model means its base model and what the run taught it. Errors: `run.damaged`. */
export function withoutRunAsModel<R extends Pick<GenerateRequest, 'model' | 'loras'>>(request: R): R {
  const { model, loras } = request;
  const run = runOf(model);
  if (!run) return request;
  return { ...request, model: modelOfRun(run), loras: [{ path: model, weight: 1 }, ...loras] };
}

/** The whole networks that a run trained, and the weight of their change; 1 is as trained. */
export interface WholeRun extends LoraChoice {
  readonly hash: string;
  readonly isOf: (hash: string) => boolean;
  readonly parts: ReturnType<typeof readWholeNetworks>;
}

/** Undefined where the run, or the checkpoint, is a LoRA's. Errors: `lora.otherModel`, `weights.*`. */
export function openWholeRun(choice: LoraChoice, model: Model): WholeRun | undefined {
  const { path } = choice;
  const folder = checkpointOf(path);
  if (folder === undefined) return undefined;
  const parts = readWholeNetworks(folder);
  if (parts.size === 0) return undefined;
  for (const [part, tensors] of parts) {
    const weights = weightsOf(model, part);
    for (const [name, { shape }] of tensors)
      if (!sameShape(weights.get(name)?.shape ?? [], shape))
        throw problem('lora.otherModel', {
          file: path,
          model: model.path,
          why: `"${name}" has a different shape there`,
        });
  }
  const trained = [...parts.values()].map((tensors) => ({ weights: new Weights(folder, tensors) }));
  return {
    ...{ ...choice, parts, hash: partsHash(...trained) },
    isOf: (hash) => partsHaveHash(trained, hash),
  };
}

/** A run's last checkpoint, or the checkpoint itself; undefined outside of a run. */
function checkpointOf(path: string): string | undefined {
  const run = runOf(path);
  if (!run || run.path !== path) return run && path;
  const last = run.checkpointSteps().at(-1);
  return last === undefined ? undefined : run.checkpointPath(last);
}

/** The model's weights as the runs change them: W + Σ weight · (trained − W), in f32. */
export function weightsOfRuns(model: Model, runs: readonly WholeRun[]): WeightLookup {
  return (name) => {
    const changes = runs.flatMap(({ parts, weight }) => {
      const entry = weight === 0 ? undefined : wholeTensor(parts, name);
      return entry ? [{ entry, weight }] : [];
    });
    const [first, ...others] = changes;
    if (!first || (first.weight === 1 && others.length === 0)) return first?.entry;
    const [part, ...rest] = name.split('.');
    const stored = weightsOf(model, part as NetworkName).get(rest.join('.'));
    if (!stored) return first.entry;
    const base = readF32(stored);
    const data = Float32Array.from(base.data);
    for (const { entry, weight } of changes) {
      const trained = readF32(entry).data;
      for (let i = 0; i < data.length; i++)
        data[i] = (data[i] as number) + weight * ((trained[i] as number) - (base.data[i] as number));
    }
    return { ...base, data };
  };
}
