import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import fs from 'node:fs';
import { join } from 'node:path';
import { readEmbedding } from '../../engine/checkpoints/embedding.ts';
import { readLora, type Lora } from '../../engine/checkpoints/lora/readLora.ts';
import type { NetworkName } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { hasNetwork, lostParts } from '../../engine/training/run/wholeCheckpoint.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { isFolder } from '../../engine/checkpoints/files.ts';
import { LikenessError, type MessageCode } from '../../../src-shared/messages/index.ts';
import { inspectModel, type ModelReport } from './inspectModel.ts';

export interface LoraReport {
  readonly kind: 'lora';
  readonly path: string;
  /** Changed modules of each part. */
  readonly modules: Readonly<Record<NetworkName, number>>;
  readonly parameters: Readonly<Record<NetworkName | 'total', number>>;
  /** LoRA (LoCon too), LoHa, LoKr, DoRA, difference. */
  readonly methods: readonly string[];
  /** Words of textual inversions that lie in the file. */
  readonly embeddings: readonly string[];
  readonly ranks: readonly number[];
  readonly problems: readonly string[];
}

export interface RunReport {
  readonly kind: 'run';
  readonly path: string;
  readonly model: string;
  readonly method: FinetuneSettings['method'] | 'distill';
  /** Of a distillation. */
  readonly teacher?: string;
  readonly steps: number;
  readonly checkpoints: readonly number[];
  readonly problems: readonly string[];
}

/** A textual inversion. */
export interface EmbeddingReport {
  readonly kind: 'embedding';
  readonly path: string;
  /** What stands for it in prompts. */
  readonly word: string;
  readonly vectors: number;
  /** Of each; that of the text encoders that it fits. */
  readonly width: number;
  readonly problems: readonly string[];
}

export type Report = ModelReport | LoraReport | EmbeddingReport | RunReport;

/**
 * Describes what is at `path`: a model, a LoRA or a run. Throws where it is none of these or can't be read; a model that opens but
 * would not work is reported with `fatal` set.
 */
export async function inspect(
  path: string,
  prediction?: Prediction,
): Promise<{ report: Report; fatal?: LikenessError }> {
  if (RunFolder.exists(path)) return { report: inspectRun(path) };
  if (adapterConfigs.some((file) => fs.existsSync(join(path, file))))
    return { report: inspectLora(readLora(path)) };
  const lora = loraOrNothing(path);
  if (lora) return { report: inspectLora(lora) };
  const embedding = isFolder(path) ? undefined : embeddingOrNothing(path);
  return embedding ? { report: embedding } : inspectModel(openModel(path, prediction));
}

/** Where PEFT's folders and runs have one. */
const adapterConfigs = [
  'adapter_config.json',
  'unet/adapter_config.json',
  'text_encoder/adapter_config.json',
  'text_encoder_2/adapter_config.json',
];

function hasCode(error: unknown, code: MessageCode): boolean {
  return error instanceof LikenessError && error.code === code;
}

/** Undefined where `path` holds no LoRA: then the error it gives as a model says more. */
function loraOrNothing(path: string): Lora | undefined {
  try {
    return readLora(path);
  } catch (error) {
    if (hasCode(error, 'lora.notOne')) return undefined;
    throw error;
  }
}

/** Nothing where `path` is no file of one tensor, or none at all. */
function embeddingOrNothing(path: string): EmbeddingReport | undefined {
  try {
    const { word, vectors } = readEmbedding(path);
    const [count = 1, width = 0] = vectors.shape;
    return { kind: 'embedding', path, word, vectors: count, width, problems: [] };
  } catch (error) {
    if (hasCode(error, 'embedding.notOne') || hasCode(error, 'file.missing')) return undefined;
    throw error;
  }
}

function inspectRun(path: string): RunReport {
  const run = new RunFolder(path);
  const about = describeRun(run);
  const { model, teacher = model } = about;
  const wanting = [...new Set([model, teacher])].filter((file) => !fs.existsSync(file));
  const checkpoints = run.checkpointSteps();
  const folders = checkpoints.map((step) => run.checkpointPath(step));
  const hasSecond = folders.some((folder) => hasNetwork(folder, 'text_encoder_2'));
  const halves = folders.flatMap((folder) =>
    lostParts(run, folder, hasSecond).map(
      (part) => `${folder} has lost ${part}; copy the whole folder again`,
    ),
  );
  const problems = [...wanting.map((file) => `its base model ${file} is not there`), ...halves];
  return { kind: 'run', path, ...about, checkpoints, problems };
}

function describeRun(run: RunFolder): Pick<RunReport, 'model' | 'method' | 'steps' | 'teacher'> {
  if (run.kind() === 'finetune') {
    const { model, method, steps } = run.describe('finetune').settings;
    return { model, method, steps };
  }
  const { student, teacher, steps } = run.describe('distill').settings;
  return { model: student, teacher, method: 'distill', steps };
}

function inspectLora({ path, adapters, changes, embeddings, unmatched }: Lora): LoraReport {
  const all = [...adapters, ...changes];
  const of = (part: NetworkName) => all.filter((one) => one.part === part);
  const numbers = (part: NetworkName) =>
    of(part)
      .flatMap((one) => ('A' in one ? [one.A, one.B] : one.parameters))
      .reduce((sum, { data }) => sum + data.length, 0);
  const [unet, text, second] = [numbers('unet'), numbers('text_encoder'), numbers('text_encoder_2')];
  return {
    kind: 'lora',
    path,
    modules: {
      unet: of('unet').length,
      text_encoder: of('text_encoder').length,
      text_encoder_2: of('text_encoder_2').length,
    },
    parameters: { unet, text_encoder: text, text_encoder_2: second, total: unet + text + second },
    methods: [...new Set([...(adapters.length ? ['LoRA'] : []), ...changes.map(({ method }) => method)])],
    embeddings: [...embeddings.keys()],
    ranks: [...new Set(adapters.map(({ rank }) => rank))].sort((a, b) => a - b),
    problems: unmatched.map((name) => `the tensor "${name}" means nothing here and is left out`),
  };
}
