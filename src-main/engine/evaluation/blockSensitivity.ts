import { setImmediate } from 'node:timers/promises';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Model } from '../checkpoints/model.ts';
import { blockOf, unetShapes } from '../models/unetCost.ts';
import { PromptEncoder } from '../pipelines/encodePrompts.ts';
import type { PromptEmbeds } from '../pipelines/batches.ts';
import { Networks } from '../pipelines/networks.ts';
import { openTokenizer } from '../pipelines/openTokenizer.ts';
import { partNames, type WeightLookup } from '../pipelines/weights.ts';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { makeSampler } from '../schedulers/index.ts';
import { f32, type HostTensor } from '../tensor/tensor.ts';
import { generatorFor } from '../tensor/seeded.ts';

type Floats = HostTensor<'f32'>;

/** One input of the U-Net, and what the whole U-Net predicts for it. */
export interface Probe {
  readonly sample: Floats;
  readonly timesteps: Floats;
  readonly prompt: PromptEmbeds;
  readonly answer: Floats;
}

export interface ProbeOptions {
  readonly prompts: readonly string[];
  /** Noise levels of each prompt. */
  readonly levels: number;
  readonly seed: number;
  readonly provider: ProviderChoice;
}

/**
 * The states the model passes through while it draws each prompt in `levels` DDIM steps from the seed's noise, and its prediction
 * at each: realistic inputs without any data.
 */
export async function probesOf(
  model: Model,
  { prompts, levels, seed, provider }: ProbeOptions,
  { report, signal }: JobContext,
): Promise<Probe[]> {
  const networks = new Networks(model, { provider });
  const tokenizer = await openTokenizer(model);
  const [height, width] = model.unet.config.sample_size;
  const shape = [1, model.unet.config.in_channels, height, width];
  const probes: Probe[] = [];
  try {
    const encoder = new PromptEncoder(networks, tokenizer, 'none');
    const encoded: PromptEmbeds[] = [];
    for (const prompt of prompts) encoded.push(await encoder.encode(prompt, 1));
    await networks.release('text');
    for (const [index, prompt] of encoded.entries()) {
      const generator = generatorFor(seed, 'probe', index);
      const sampler = makeSampler('ddim', model.scheduler, levels, model.path);
      let x: Float32Array = generator.randn(shape).map((value) => value * sampler.initNoiseSigma);
      for (const [step, t] of sampler.timesteps.entries()) {
        await setImmediate();
        signal.throwIfAborted();
        const sample: Floats = { dtype: 'f32', shape, data: sampler.scaleInput(x, step) };
        const timesteps = f32([1], [t]);
        const answer = await networks.predict(sample, timesteps, prompt);
        probes.push({ sample, timesteps, prompt, answer });
        x = sampler.step(answer.data, step, x, () => generator.randn(shape));
        report({
          type: 'progress',
          done: probes.length,
          total: prompts.length * levels,
          label: 'whole model',
        });
      }
    }
  } finally {
    await networks.release();
  }
  return probes;
}

/**
 * How far a changed model is from the whole one: the squared difference of its predictions over the squares of the whole
 * model's, over all probes. 0 is no change; at 1 the error is as large as the prediction.
 */
export async function outputChange(
  model: Model,
  own: WeightLookup | undefined,
  probes: readonly Probe[],
  provider: ProviderChoice,
  onProbe: () => void,
  signal: AbortSignal,
): Promise<number> {
  const networks = new Networks(model, { provider, ...(own && { own }) });
  let [error, size] = [0, 0];
  try {
    for (const { sample, timesteps, prompt, answer } of probes) {
      await setImmediate();
      signal.throwIfAborted();
      const { data } = await networks.predict(sample, timesteps, prompt);
      for (let i = 0; i < data.length; i++) {
        error += ((data[i] as number) - (answer.data[i] as number)) ** 2;
        size += (answer.data[i] as number) ** 2;
      }
      onProbe();
    }
  } finally {
    await networks.release();
  }
  return error / size;
}

/**
 * Takes one block out of a U-Net and leaves everything else as it is, as the BK-SDM paper does for its sensitivity analysis: the
 * last layers of its resnet and attention are zero, so only their skip paths are left (with the 1×1 convolution where the number
 * of channels changes).
 */
export function withoutBlock({ unet }: Pick<Model, 'unet'>, block: string): WeightLookup {
  const last = /\.(conv2|attentions\.\d+\.proj_out)\.(weight|bias)$/;
  const zeros = new Map<string, Floats>(
    [...unetShapes(unet.config)].flatMap(([name, shape]) =>
      blockOf(name) === block && last.test(name) ? [[`${partNames.unet}.${name}`, f32(shape)] as const] : [],
    ),
  );
  return (name) => zeros.get(name);
}
