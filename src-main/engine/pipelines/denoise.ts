import { setImmediate } from 'node:timers/promises';
import type { Box } from '../../../src-shared/domain/box.ts';
import type { UNetConfig } from '../models/config.ts';
import { guidanceEmbedding } from '../models/guidanceEmbedding.ts';
import type { Sampler } from '../schedulers/sampler.ts';
import type { HostTensor, Shape } from '../tensor/tensor.ts';
import { joinChannels, stack, stackPrompts, type PromptEmbeds } from './batches.ts';
import type { Networks } from './networks.ts';
import { apartUntil, boxMask, composed, seenApart } from './regions.ts';

type Floats = HostTensor<'f32'>;

/** What the pictures of one batch are drawn from. */
export interface Conditions {
  /** Each picture's prompt. */
  readonly prompt: PromptEmbeds;
  /** Each picture's negative prompt; without one there is no guidance. */
  readonly negative?: PromptEmbeds;
  /** Classifier-free guidance (Ho & Salimans 2022): negative + guidance·(prompt − negative). */
  readonly guidance: number;
  /**
   * Share of the steps after which guidance stops and only the prompt counts: late guidance adds grain and costs time ("Applying Guidance in a
   * Limited Interval", Kynkäänniemi et al. 2024; here only its end).
   */
  readonly stop: number;
  /** The base model's part, where it has one. */
  readonly base?: BaseConditions;
  /** Boxes with networks and prompts of their own. */
  readonly regions?: readonly RegionConditions[];
  /** Channels beside the latents [b,c,h,w], for a U-Net that sees more. */
  readonly beside?: Floats;
  /** For a U-Net that guidance was distilled into: its guidance input [b,w] (`guidanceTensor`), in place of guidance. */
  readonly distilled?: Floats;
}

/**
 * A finetuned model forgets what pictures in general look like: its own negative shows the subject, so guidance would take the
 * subject away. The base model therefore gives the negative ("Unconditional Priors Matter!", Phunyaphibarn et al. 2025), and its
 * reading of the prompt is added for everything but the subject (sum of conditions: "Composable Diffusion", Liu et al. 2022):
 * negative_b + guidance·(prompt − negative_b) + baseGuidance·(prompt_b − negative_b).
 */
export interface BaseConditions {
  readonly networks: Networks;
  /** As the base model's text encoder reads them. */
  readonly prompt: PromptEmbeds;
  readonly negative: PromptEmbeds;
  readonly guidance: number;
}

/** A box with a network and conditions of its own. */
export interface RegionConditions {
  readonly box: Box;
  readonly networks: Networks;
  readonly conditions: Conditions;
}

export interface DenoiseOptions {
  /** The step to begin with; 0 when left out. */
  readonly first?: number;
  /** Changes the latents after step i. */
  readonly afterStep?: (latents: Float32Array, i: number) => Float32Array;
  /** Standard normal values for all pictures, for samplers that add noise. */
  readonly noise: () => Float32Array;
  /** Called after step `i` with the latents, and with the U-Net's input and output. */
  readonly onStep?: (latents: Float32Array, i: number, input: Float32Array, output: Float32Array) => void;
  readonly signal?: AbortSignal;
}

/** Takes `latents` [b,c,h,w], noise scaled by the sampler's `initNoiseSigma`, through all steps. */
export async function denoise(
  networks: Networks,
  sampler: Sampler,
  latents: Floats,
  conditions: Conditions,
  { noise, first = 0, afterStep = (x) => x, onStep, signal }: DenoiseOptions,
): Promise<Floats> {
  const { shape } = latents;
  const { negative: _, base: __, ...alone } = conditions;
  let x = latents.data;
  const noiseBefore = x.map((value) => value / sampler.initNoiseSigma);
  const masks = conditions.regions?.map(({ box }) => boxMask(box, shape));
  for (const [i, t] of sampler.timesteps.entries()) {
    if (i < first) continue;
    const input = sampler.scaleInput(x, i);
    const late = i >= conditions.stop * sampler.timesteps.length;
    const whole = await guided(networks, input, shape, t, late ? alone : conditions);
    const parts = [];
    for (const [k, region] of (conditions.regions ?? []).entries()) {
      const mask = masks?.[k] ?? new Uint8Array();
      const { negative: _n, base: _b, ...own } = region.conditions;
      const isApart = i < apartUntil * sampler.timesteps.length;
      const seen = isApart ? seenApart(input, mask, noiseBefore, sampler.noiseLevel(i)[1]) : input;
      parts.push({
        mask,
        output: await guided(region.networks, seen, shape, t, {
          ...(late ? own : region.conditions),
          ...(conditions.beside && { beside: conditions.beside }),
        }),
      });
    }
    const output = parts.length > 0 ? composed(whole, parts) : whole;
    x = afterStep(sampler.step(output, i, x, noise), i);
    onStep?.(x, i, input, output);
    // Lets the event loop turn, so that a signal can arrive.
    await setImmediate();
    signal?.throwIfAborted();
  }
  return { dtype: 'f32', shape, data: x };
}

/** The U-Net's output after guidance. Without a base model both halves are one batch, negative first. */
async function guided(
  networks: Networks,
  x: Float32Array,
  shape: Shape,
  t: number,
  { prompt, negative, guidance, base, beside, distilled }: Conditions,
): Promise<Float32Array> {
  const latents: Floats = { dtype: 'f32', shape, data: x };
  const sample = beside ? joinChannels(latents, beside) : latents;
  const steps = (batch: number): Floats => ({
    dtype: 'f32',
    shape: [batch],
    data: new Float32Array(batch).fill(t),
  });
  const batch = shape[0] as number;
  const pair = (of: Networks, negative: PromptEmbeds, prompt: PromptEmbeds): Promise<Floats> =>
    of.predict(stack([sample, sample]), steps(2 * batch), stackPrompts([negative, prompt]));
  if (base) {
    const taught = await networks.predict(sample, steps(batch), prompt);
    const both = await pair(base.networks, base.negative, base.prompt);
    return Float32Array.from(x, (_, i) => {
      const away = both.data[i] as number;
      const [towards, plain] = [taught.data[i] as number, both.data[i + x.length] as number];
      return away + guidance * (towards - away) + base.guidance * (plain - away);
    });
  }
  if (!negative) return (await networks.predict(sample, steps(batch), prompt, distilled)).data;
  const both = await pair(networks, negative, prompt);
  return Float32Array.from(x, (_, i) => {
    const away = both.data[i] as number;
    return away + guidance * ((both.data[i + x.length] as number) - away);
  });
}

/** The guidance embedding of each picture [b,w], where the U-Net takes one. */
export function guidanceTensor(
  { time_cond_proj_dim: width }: UNetConfig,
  guidance: number,
  batch: number,
): Floats | undefined {
  if (width === null) return undefined;
  const one: Floats = { dtype: 'f32', shape: [1, width], data: guidanceEmbedding(guidance, width) };
  return stack(Array.from({ length: batch }, () => one));
}
