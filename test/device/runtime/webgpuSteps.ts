import './keptTrials.ts';
import { resolve } from 'node:path';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { InferenceSession, type Tensor } from '../../../src-main/engine/runtime/onnxRuntime.ts';
import { Trainer } from '../../../src-main/engine/training/run/trainer.ts';
import { distillationWork, trainingWork } from '../../../src-main/features/bench/workloads.ts';

// A process of its own, for a crash of the driver ends it. Words: lora, full or distillation, and a precision. Takes such steps on WebGPU
// and, in f32, on the CPU, and prints what crossed over in one of WebGPU's: {"loss", "norm", "values": the largest relative errors,
// "fed", "read": {name: numbers that were copied}}.

type Kind = 'lora' | 'full' | 'distillation';
const fed: Record<string, number> = {};
const read: Record<string, number> = {};
let counts = false;
const create = InferenceSession.create.bind(InferenceSession) as (
  ...words: unknown[]
) => Promise<InferenceSession>;
Object.assign(InferenceSession, {
  create: async (...words: unknown[]) => {
    const session = await create(...words);
    const run = session.run.bind(session) as (...given: unknown[]) => Promise<Record<string, Tensor>>;
    const onDevice = JSON.stringify(words[1] ?? {}).includes('webgpu');
    const note = (tensors: Record<string, Tensor>, into: Record<string, number>): void => {
      for (const [name, { location, size }] of Object.entries(tensors))
        if (counts && onDevice && location === 'cpu') into[name] = (into[name] ?? 0) + size;
    };
    return Object.assign(session, {
      run: async (feeds: Record<string, Tensor>, ...others: unknown[]) => {
        note(feeds, fed);
        const results = await run(feeds, ...others);
        note(results, read);
        return results;
      },
    });
  },
});

const [kind = 'lora', precision = 'f32'] = process.argv.slice(2) as [Kind?, Precision?];
const opened = (name: string): Model => openModel(resolve('test/golden/fixtures/models', name));
const model = opened('tiny-bk');
const settings = { learningRate: 1e-3, maxGradientNorm: 0.5 };
const off = (found: number, expected: number): number => Math.abs(found / expected - 1);
const errors = { loss: 0, norm: 0, values: 0 };

async function trainerOn(provider: 'cpu' | 'webgpu') {
  const size = { batch: 2, latents: 8, provider };
  const { options, feeds } =
    kind === 'distillation'
      ? distillationWork(opened('tiny-sd1'), model, size)
      : trainingWork(model, { ...size, part: kind });
  const own = { ...options, ...(provider === 'webgpu' && { precision }) };
  return { trainer: await Trainer.create(own), feeds };
}
const [host, device] = [await trainerOn('cpu'), await trainerOn('webgpu')];
for (let step = 0; step < 3; step++) {
  const expected = await host.trainer.step([host.feeds], settings);
  counts = step === 2;
  const found = await device.trainer.step([device.feeds], settings);
  counts = false;
  errors.loss = Math.max(errors.loss, off(found.loss, expected.loss));
  errors.norm = Math.max(errors.norm, off(found.gradientNorm, expected.gradientNorm));
}
await device.trainer.sync();
const moved = (trainer: Trainer): number => Math.hypot(...trainer.values.filter((_, i) => i % 7 === 0));
errors.values = off(moved(device.trainer), moved(host.trainer));
console.log(JSON.stringify({ ...errors, fed, read }));
