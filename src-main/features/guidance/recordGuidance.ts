import type { Guidance } from '../../../src-shared/domain/guidance.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { writeSafetensors } from '../../engine/checkpoints/writeSafetensors.ts';
import { stack, stackPrompts, unstack } from '../../engine/pipelines/batches.ts';
import { PromptEncoder } from '../../engine/pipelines/encodePrompts.ts';
import { Networks, type NetworkOptions } from '../../engine/pipelines/networks.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import { makeSampler } from '../../engine/schedulers/index.ts';
import { noiseSchedule } from '../../engine/schedulers/noiseSchedule.ts';
import { predictedNoise, predictedX0 } from '../../engine/schedulers/prediction.ts';
import { TorchGenerator } from '../../engine/tensor/random.ts';
import { f32, i64, type HostTensor } from '../../engine/tensor/tensor.ts';
import { square } from '../../engine/training/data/aspectBuckets.ts';
import { latentShape } from '../../engine/training/data/posteriors.ts';
import { tokenIds } from '../../engine/training/data/prompts.ts';

type Floats = HostTensor<'f32'>;

/** One moment of a picture that was being drawn: latents, and what plain guidance needs there of the prompt and of the empty prompt. */
interface Moment {
  readonly timestep: number;
  readonly ids: readonly number[];
  readonly x: Float32Array;
  readonly prompt: Float32Array;
  readonly empty: Float32Array;
}

export interface Recording {
  readonly model: Model;
  /** How the run draws. */
  readonly networks: NetworkOptions;
  readonly prompts: readonly string[];
  readonly size: number;
  /** How the run's pictures are guided. */
  readonly guided: Guidance;
  /** The plain guidance that shall give the same. */
  readonly scale: number;
  /** Steps of training, and moments in each. */
  readonly steps: number;
  readonly batch: number;
  readonly onPicture: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Samplers' steps differ, so that the recorded timesteps do. */
const samplingSteps = [20, 25, 30, 23, 28] as const;
/** Apart from what scores and samples use. */
const firstSeed = 40_000;

/**
 * Draws pictures as the run does, and writes every moment as a batch that a finetune can replay. Where e₀ is the base model's
 * prediction for the empty prompt and e what guidance made of it all, plain guidance with scale s gives e if the LoRA predicts e₀ for the
 * empty prompt and e₀ + (e − e₀)/s for the prompt: negative + s·(prompt − negative) (Ho & Salimans 2022). Both halves of a
 * batch hold the same latents: the prompt's first, then the empty prompt's as its prior. The loss of a finetune asks for x0 and noise; those
 * that a prediction implies make that prediction its target (output distillation: Meng et al. 2023, "On Distillation of Guided Diffusion
 * Models"). Errors: those of `Networks`, `file.unwritable`.
 */
export async function recordGuidance(file: string, recording: Recording): Promise<void> {
  const { model, prompts, steps, batch, onPicture } = recording;
  const moments: Moment[] = [];
  const drawn = new Drawing(recording);
  try {
    for (const [i, prompt] of prompts.entries()) {
      moments.push(
        ...(await drawn.moments(prompt, firstSeed + i, samplingSteps[i % samplingSteps.length] as number)),
      );
      onPicture(i + 1);
    }
  } finally {
    await drawn.dispose();
  }
  const order = new TorchGenerator(firstSeed);
  const chosen: Moment[] = [];
  while (chosen.length < steps * batch)
    chosen.push(...Array.from(order.randperm(moments.length), (at) => moments[at] as Moment));
  writeBatches(file, chosen.slice(0, steps * batch), recording, await emptyIds(model));
}

const emptyIds = async (model: Model): Promise<readonly number[]> =>
  tokenIds(model, await openTokenizer(model), '').ids;

/** A run's networks and the base model's, drawing one picture after the other. */
class Drawing {
  private readonly own: Networks;
  private readonly base: Networks;

  constructor(private readonly recording: Recording) {
    const { model, networks } = recording;
    const { adapters: _, own: __, words: ___, ...untaught } = networks;
    this.own = new Networks(model, networks);
    this.base = new Networks(model, untaught);
  }

  async moments(prompt: string, seed: number, steps: number): Promise<Moment[]> {
    const { model, size, guided, scale, signal } = this.recording;
    const tokenizer = await openTokenizer(model);
    const { ids } = tokenIds(model, tokenizer, prompt);
    const encoder = (networks: Networks): PromptEncoder =>
      new PromptEncoder(networks, tokenizer, 'none', undefined, { width: size, height: size });
    const [taughtText, plainText] = [encoder(this.own), encoder(this.base)];
    const context = await taughtText.encode(prompt, 1);
    const both = stackPrompts([await plainText.encode('', 1), await plainText.encode(prompt, 1)]);

    const sampler = makeSampler('ddim', model.scheduler, steps, model.path);
    const shape = [1, ...latentShape(model, square(size))];
    await this.base.borrowFrom([this.own], shape);
    let x = new TorchGenerator(seed).randn(shape);
    const found: Moment[] = [];
    for (const [i, timestep] of sampler.timesteps.entries()) {
      signal.throwIfAborted();
      const latents: Floats = { dtype: 'f32', shape, data: x };
      const at = (batch: number): Floats => f32([batch], new Float32Array(batch).fill(timestep));
      const taught = (await this.own.predict(latents, at(1), context)).data;
      const untaught = await this.base.predict(stack([latents, latents]), at(2), both);
      const [empty, plain] = [unstack(untaught, 0).data, unstack(untaught, 1).data];
      const late = i >= guided.guidanceStop * sampler.timesteps.length;
      const wanted = taught.map((towards, k) => {
        const away = empty[k] as number;
        const more = guided.baseGuidance * ((plain[k] as number) - away);
        return late ? towards : away + guided.guidance * (towards - away) + more;
      });
      const ofPrompt = wanted.map(
        (value, k) => (empty[k] as number) + (value - (empty[k] as number)) / scale,
      );
      found.push({ timestep, ids, x, prompt: ofPrompt, empty: Float32Array.from(empty) });
      x = sampler.step(wanted, i, x, () => new Float32Array(x.length));
    }
    return found;
  }

  async dispose(): Promise<void> {
    await this.own.release();
    await this.base.release();
  }
}

function writeBatches(
  file: string,
  moments: readonly Moment[],
  { model, size, steps, batch }: Recording,
  empty: readonly number[],
): void {
  const schedule = noiseSchedule(model.scheduler, model.path);
  const rows = Array.from({ length: steps }, (_, k) => {
    const own = moments.slice(k * batch, (k + 1) * batch);
    return [
      ...own.map(({ prompt: output, ...moment }) => ({ ...moment, output })),
      ...own.map(({ empty: output, ...moment }) => ({ ...moment, output, ids: empty })),
    ];
  }).flat();
  const implied = rows.map(({ timestep, x, output }) => {
    const alphaBar = schedule.alphaBars[timestep] as number;
    const level = [Math.sqrt(alphaBar), Math.sqrt(Math.fround(1 - alphaBar))] as const;
    return {
      x0: predictedX0(schedule.prediction, output, x, ...level),
      noise: predictedNoise(schedule.prediction, output, x, ...level),
    };
  });
  const shape = [steps, 2 * batch, ...latentShape(model, square(size))];
  const joined = (parts: readonly Float32Array[]): Floats => {
    const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part, at);
      at += part.length;
    }
    return { dtype: 'f32', shape, data };
  };
  writeSafetensors(
    file,
    [
      { name: 'latents', tensor: joined(implied.map(({ x0 }) => x0)) },
      { name: 'noise', tensor: joined(implied.map(({ noise }) => noise)) },
      {
        name: 'timesteps',
        tensor: i64(
          [steps, 2 * batch],
          rows.map(({ timestep }) => timestep),
        ),
      },
      {
        name: 'input_ids',
        tensor: i64(
          [steps, 2 * batch, empty.length],
          rows.flatMap(({ ids }) => [...ids]),
        ),
      },
    ],
    { prior: 'true' },
  );
}
