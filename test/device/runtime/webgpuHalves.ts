import './keptTrials.ts';
import { resolve } from 'node:path';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';
import { onProviderNotice } from '../../../src-main/engine/runtime/notices.ts';
import { Trainer } from '../../../src-main/engine/training/run/trainer.ts';
import {
  distillationWork,
  fewStepsWork,
  trainingWork,
  type TrainingWork,
} from '../../../src-main/features/bench/workloads.ts';

// A process of its own, for a crash of the driver ends it. Words: a provider, a precision, a number of steps, and of which kind (lora, full,
// distillation or few steps). Takes such steps in that precision, and in f32 on the CPU, and with those of a LoRA draws a picture in both
// where nothing has been noticed; prints {"losses": the largest relative difference, "learnt": the last loss over the first, "decibels", "notices"}.

const [provider, precision, count, kind] = process.argv.slice(2) as [Provider, Precision, string, Kind];
type Kind = 'lora' | 'full' | 'distillation' | 'few steps';
const notices: string[] = [];
onProviderNotice((sentence) => void notices.push(sentence));
const opened = (name: string): Model => openModel(resolve('test/golden/fixtures/models', name));
const model = opened('tiny-bk');
const mini = openModel(resolve('models/likeness-mini'));

function workOn(size: { batch: number; latents: number; provider: Provider }): TrainingWork {
  if (kind === 'distillation') return distillationWork(opened('tiny-sd1'), model, size);
  return kind === 'few steps' ? fewStepsWork(model, size) : trainingWork(model, { ...size, part: kind });
}

async function losses(on: Provider, computes: Precision): Promise<number[]> {
  const { options, feeds } = workOn({ batch: 2, latents: 8, provider: on });
  const learningRate = kind === 'lora' || kind === 'few steps' ? 1e-3 : 1e-4;
  const trainer = await Trainer.create({ ...options, precision: computes });
  const found: number[] = [];
  for (let step = 0; step < Number(count); step++)
    found.push((await trainer.step([feeds], { learningRate, maxGradientNorm: 1 })).loss);
  await trainer.dispose();
  return found;
}

async function picture(on: Provider, computes: Precision): Promise<Uint8Array> {
  const pipeline = new TextToImage(mini, await openTokenizer(mini), { provider: on, precision: computes });
  const sampling = { steps: 4, guidance: 4, width: 64, height: 64, scheduler: 'ddim' } as const;
  for await (const { picture } of pipeline.generate([{ prompt: 'a photo of a dog', seed: 1 }], sampling)) {
    await pipeline.dispose();
    return picture.data;
  }
  throw new Error('no picture was drawn');
}

const [found, expected] = [await losses(provider, precision), await losses('cpu', 'f32')];
/** How like pictures in both are. */
async function decibels(): Promise<number> {
  const [drawn, wanted] = [await picture(provider, precision), await picture('cpu', 'f32')];
  const squares = wanted.reduce((sum, value, i) => sum + (value - (drawn[i] as number)) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * wanted.length) / squares);
}

console.log(
  JSON.stringify({
    losses: Math.max(...found.map((loss, i) => Math.abs(loss / (expected[i] as number) - 1))),
    learnt: (expected.at(-1) as number) / (expected[0] as number),
    ...(kind === 'lora' && notices.length === 0 && { decibels: await decibels() }),
    notices,
  }),
);
