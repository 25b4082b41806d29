import { subjectPrompt } from '../../engine/training/data/prompts.ts';
import { eachSubject } from '../../../src-shared/domain/runSubjects.ts';
import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { wordsFor, type NewWords } from '../../engine/checkpoints/embedding.ts';
import { fitLora } from '../../engine/checkpoints/lora/fitLora.ts';
import { statOrNothing } from '../../engine/checkpoints/files.ts';
import { readLora } from '../../engine/checkpoints/lora/readLora.ts';
import type { StoredAdapter } from '../../engine/checkpoints/lora/weightChanges.ts';
import { changedWeight, mergeLora } from '../../engine/checkpoints/lora/mergeLora.ts';
import { weightsOf, type Model } from '../../engine/checkpoints/model.ts';
import { hasHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import type { Changes } from '../../engine/checkpoints/writeModel.ts';
import type { TensorSource } from '../../engine/checkpoints/writeSafetensors.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';
import { bindLoras } from '../../engine/pipelines/adapters.ts';
import type { NetworkOptions } from '../../engine/pipelines/networks.ts';
import { RunFolder, type RunKind } from '../../engine/training/run/runFolder.ts';
import { readWholeNetworks, wholeTensor } from '../../engine/training/run/checkpoint.ts';
import { refuseHalfCheckpoint } from '../../engine/training/run/wholeCheckpoint.ts';

/** A checkpoint of a run, opened for export. */
export interface OpenedRun {
  readonly model: Model;
  /** For the proof: a prompt of the run, and the side of its pictures. */
  readonly prompt: string;
  readonly size: number;
  /** The subject of a finetune as prompts name it: "sks dog"; of several, all: "sks dog, ohwx cat". */
  readonly subject?: string;
  /** 0 where it is no run. */
  readonly step: number;
  /** What is exported, as receipts call it. */
  readonly title: string;
  /** It draws in few steps: a distillation with `lcm`. */
  readonly few: boolean;
  /** For runs of LoRA and its kinds; none for a full finetune. */
  readonly adapters: readonly StoredAdapter[];
  /** What the run changes in the model's weights; LoRAs merged in. */
  readonly changes: Changes;
  /** The words that the run learnt, if it is a textual inversion. */
  readonly words?: NewWords;
  /** Makes a pipeline draw with the checkpoint itself. */
  readonly networks: NetworkOptions;
}

/** Opens the run's base model and one of its checkpoints. Errors: `run.…`, those of `openModel` and `readLora`. */
export function openRun(path: string, checkpoint: number | undefined): OpenedRun {
  if (!RunFolder.exists(path)) throw problem('run.missing', { folder: path });
  const run = new RunFolder(path);
  const kind = run.kind();
  const step = checkpoint ?? run.checkpointSteps().at(-1);
  if (step === undefined || !run.checkpointSteps().includes(step))
    throw problem('run.noCheckpoint', {
      folder: path,
      wanted: checkpoint === undefined ? '' : String(checkpoint),
    });
  const { model, whole, ...about } = modelOf(run, kind);
  const opened = { model, step, title: 'the run', ...about };
  const folder = run.checkpointPath(step);
  refuseHalfCheckpoint(folder, model);
  if (whole) return { ...opened, adapters: [], ...wholeNetworks(folder) };
  const lora = readLora(folder);
  if (lora.embeddings.size > 0 && lora.stored.length === 0) {
    const learnt = [...lora.embeddings].map(([word, vectors]) => ({ path: folder, word, vectors }));
    const unchanged = { adapters: [], changes: {}, networks: {} };
    return { ...opened, ...unchanged, words: wordsFor(model, learnt) };
  }
  const { adapters, changes: kin } = fitLora(lora, model);
  const merged = (part: StoredAdapter['part']): Map<string, TensorSource> => {
    const own = adapters.filter((adapter) => adapter.part === part);
    const pairs = mergeLora(
      weightsOf(model, part),
      own.map((adapter) => ({ adapter, weight: 1 })),
    );
    const others = kin
      .filter((change) => change.part === part)
      .map((change) => {
        const { shape } = change.base;
        const compute = (): HostTensor<'f32'> => changedWeight([{ change, weight: 1 }]);
        return [`${change.module}.${change.tensor}`, { dtype: 'f32', shape, compute }] as const;
      });
    return new Map([...pairs, ...others]);
  };
  const changes: Changes = {
    unet: merged('unet'),
    textEncoder: merged('text_encoder'),
    textEncoder2: merged('text_encoder_2'),
  };
  const { adapters: bound, matrices } = bindLoras([{ adapters, changes: kin, weight: 1 }]);
  return { ...opened, adapters: lora.stored, changes, networks: { adapters: bound, own: matrices } };
}

/** The model that a run trains. Errors: `run.otherModel`. */
function modelOf(
  run: RunFolder,
  kind: RunKind,
): Pick<OpenedRun, 'model' | 'prompt' | 'size' | 'subject' | 'few'> & { whole: boolean } {
  const open = (path: string, hash: string, prediction?: Prediction): Model => {
    if (!statOrNothing(path)) throw problem('run.modelGone', { folder: run.path, model: path });
    const model = openModel(path, prediction);
    if (!hasHash(model, hash)) throw problem('run.otherModel', { folder: run.path, model: path });
    return model;
  };
  if (kind === 'distill') {
    const { settings, modelHash: hash } = run.describe('distill');
    const stored = open(settings.student, hash);
    const { lcm: few, solverSteps, samplePrompt: prompt, size } = settings;
    const lcm = { _class_name: 'LCMScheduler', original_inference_steps: solverSteps };
    const model = few ? { ...stored, scheduler: { ...stored.scheduler, ...lcm } } : stored;
    return { model, whole: !few, few, prompt, size };
  }
  const { settings, modelHash: hash } = run.describe('finetune');
  const prompt = subjectPrompt(settings);
  return {
    model: open(settings.model, hash, settings.prediction),
    whole: settings.method === 'full',
    few: false,
    prompt,
    subject: eachSubject(settings)
      .map(({ token, classNoun }) => `${token} ${classNoun}`)
      .join(', '),
    size: settings.size,
  };
}

function wholeNetworks(folder: string): Pick<OpenedRun, 'changes' | 'networks'> {
  const parts = readWholeNetworks(folder);
  return {
    changes: {
      unet: parts.get('unet'),
      textEncoder: parts.get('text_encoder'),
      textEncoder2: parts.get('text_encoder_2'),
    },
    networks: { own: (name) => wholeTensor(parts, name) },
  };
}
