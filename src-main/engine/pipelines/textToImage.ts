import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Model } from '../checkpoints/model.ts';
import { findBadValues, type Weights } from '../checkpoints/weights.ts';
import { seesMasks } from '../models/config.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import type { SchedulerName } from '../schedulers/config.ts';
import { firstStep, makeSampler, type NamedSampler } from '../schedulers/index.ts';
import { TorchGenerator } from '../tensor/random.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { stack, stackPrompts, unstack, type PromptEmbeds } from './batches.ts';
import { picturesThatFit, steadyBatch } from './batchSize.ts';
import { PromptEncoder } from './encodePrompts.ts';
import { encodeRegions } from './encodeRegions.ts';
import { denoise, guidanceTensor, type Conditions } from './denoise.ts';
import { Networks, type NetworkOptions } from './networks.ts';
import { EncodedOriginal, type Beginning, type Original } from './original.ts';
import type { Region } from './regions.ts';
import { defaultSize, pixelsPerLatent } from './sizes.ts';
import { toPicture, type Picture } from '../pictures/pixels.ts';

type Floats = HostTensor<'f32'>;

export interface PictureRequest {
  readonly prompt: string;
  readonly negative?: string;
  /** As `torch.Generator('cpu').manual_seed(seed)`: the starting noise, then whatever noise the sampler adds. */
  readonly seed: number;
  /** Starting noise [1,c,h,w] in place of the seed's, before the sampler's initial scaling. */
  readonly latents?: Floats;
}

export interface SamplingOptions {
  readonly steps: number;
  /** Classifier-free guidance; off at 1 and below. */
  readonly guidance: number;
  /** Weight of what the model, without adapters and trained weights, makes of the prompt (`BaseConditions`); 0 is off. */
  readonly baseGuidance?: number;
  /** Share of the steps after which there is no guidance; 1 when left out. */
  readonly guidanceStop?: number;
  /** The model's own when left out. */
  readonly scheduler?: SchedulerName | undefined;
  readonly width: number;
  readonly height: number;
  /** What is drawn over, width × height; nothing when left out. */
  readonly original?: Original | undefined;
  /** Boxes that are drawn by networks and from prompts of their own. */
  readonly regions?: readonly Region[] | undefined;
  /** How prompts are read; as written when left out. */
  readonly promptRules?: PromptRules | undefined;
  /** Pictures at once; what memory allows when left out. */
  readonly batch?: number | undefined;
  /** Steps done and steps in all, over all batches, and the present batch's latents [b,c,h,w]. */
  readonly onStep?: (done: number, total: number, latents: Float32Array) => void;
  /** The batch as it looks after a step: latents [b,c,h,w] without the noise that is still to go. `first`: its first picture's place. */
  readonly onPreview?: (clean: Floats, first: number, step: number, steps: number) => void;
  /** Called with a sentence for people: a prompt was cut. */
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface GeneratedPicture {
  readonly request: PictureRequest;
  readonly picture: Picture;
  /** Final latents [1,c,h,w], before the VAE's scaling factor is divided out. */
  readonly latents: Floats;
}

/** diffusers' `StableDiffusionPipeline` without a safety checker, and with `original` its siblings: prompts and seeds in, pictures out. */
export class TextToImage {
  readonly networks: Networks;
  /** The model before any finetune. */
  private readonly base: Networks;
  private readonly untaught: NetworkOptions;
  /** What reads negative prompts, where that is not the same. */
  private readonly ofNegatives: { readonly networks: Networks; readonly base: Networks } | undefined;

  constructor(
    readonly model: Model,
    private readonly tokenizer: Tokenizer,
    options: NetworkOptions = {},
    /** With clip skip, the model with all its layers: diffusers' `clip_skip` leaves them to the negative prompt. */
    private readonly unskipped?: Model | undefined,
  ) {
    this.networks = new Networks(model, options);
    const { adapters: _, own: __, fed: ___, ...untaught } = options;
    this.untaught = untaught;
    this.base = new Networks(model, untaught);
    this.ofNegatives = unskipped && {
      networks: new Networks(unskipped, options),
      base: new Networks(unskipped, untaught),
    };
  }

  /** Width and height the model was trained at, in pixels. */
  static defaultSize(model: Model): { width: number; height: number } {
    return defaultSize(model);
  }

  /** Pictures drawn at once where later numbers depend on their last bits: see `steadyBatch` in `batchSize.ts`. */
  steadyBatch(size: Pick<SamplingOptions, 'width' | 'height'>): number {
    return steadyBatch(this.model.unet.config, this.latentShape(size));
  }

  /** The sampler's name that `scheduler` (or the model's own) stands for. Errors: `scheduler.*`. */
  samplerOf({
    scheduler,
    steps,
    original,
  }: Pick<SamplingOptions, 'scheduler' | 'steps' | 'original'>): NamedSampler {
    const file = `${this.model.path} (scheduler_config.json)`;
    return makeSampler(scheduler, this.model.scheduler, steps, file, original !== undefined);
  }

  /** Pictures that are drawn at once. */
  batchSize(options: Pick<SamplingOptions, 'width' | 'height' | 'batch'>): number {
    return options.batch ?? picturesThatFit(this.model.unet.config, this.latentShape(options));
  }

  /**
   * Makes the pictures in order, each as soon as its batch is done. The batch changes a picture only by rounding. Errors:
   * `size.unusable`, `output.notFinite`, `scheduler.*`, `tensor.*`; the signal's reason when it aborts.
   */
  async *generate(
    requests: readonly PictureRequest[],
    options: SamplingOptions,
  ): AsyncGenerator<GeneratedPicture> {
    yield* this.generateBatches(this.batches(requests, options), options);
  }

  /** The pictures in the batches that `generate` draws them in. Errors: `size.unusable`. */
  batches(requests: readonly PictureRequest[], options: SamplingOptions): PictureRequest[][] {
    const { lengthOf } = this.promptEncoders(options);
    return runsOfEqual(requests.map(lengthOf), this.batchSize(options)).map(({ first, count }) =>
      requests.slice(first, first + count),
    );
  }

  /** Draws these batches as they are: some of those that `batches` gave are drawn to the same bits as all of them. Errors: see `generate`. */
  async *generateBatches(
    requests: readonly (readonly PictureRequest[])[],
    options: SamplingOptions,
  ): AsyncGenerator<GeneratedPicture> {
    const { guidance, baseGuidance = 0, guidanceStop = 1, signal } = options;
    const shape = this.latentShape(options);
    const sampler = this.samplerOf(options);
    if (options.original) firstStep(sampler, options.steps, options.original.strength);
    this.networks.checkDecoder(shape);
    const distilled = guidanceTensor(this.model.unet.config, guidance, 1);
    const { own, base, plain, withBase, lengthOf } = this.promptEncoders(options);
    const ofBatches: Conditions[][] = [];
    for (const part of requests) {
      const encoded: Conditions[] = [];
      for (const request of part) {
        const { prompt, negative = '' } = request;
        const length = lengthOf(request);
        encoded.push({
          prompt: await own.encode(prompt, length),
          ...(plain && { negative: await own.encodeNegative(negative, length) }),
          ...{ guidance, stop: guidanceStop },
          ...(distilled && { distilled }),
          ...(withBase && {
            base: {
              networks: this.base,
              prompt: await base.encode(prompt, length),
              negative: await base.encodeNegative(negative, length),
              guidance: baseGuidance,
            },
          }),
        });
      }
      ofBatches.push(encoded);
    }
    const { model, tokenizer, unskipped } = this;
    const untaught = { model, tokenizer, options: this.untaught, unskipped };
    const negativeOf = ({ negative = '' }: PictureRequest): string => negative;
    const negatives = requests.flat().map(negativeOf);
    const regions = await encodeRegions({ ...untaught, networks: this.base }, options, negatives);
    const taught = [this.networks, ...regions.map(({ networks }) => networks)];
    await Networks.shareDevice(taught, this.base, baseGuidance > 0, shape);
    for (const { prompt } of ofBatches.flat()) this.checkedPrompt(prompt);
    await this.releaseText();
    const over = await this.encodeOriginal(options);
    let first = 0;
    for (const [batch, part] of requests.entries()) {
      const ofBatch = regions.map(({ box, networks, conditionsFor }) => ({
        ...{ box, networks },
        conditions: together(part.map((request) => conditionsFor(negativeOf(request)))),
      }));
      const conditions = {
        ...together(ofBatches[batch] as Conditions[]),
        ...(ofBatch.length > 0 && { regions: ofBatch }),
      };
      const latents = await this.sample(part, shape, conditions, options, {
        ...{ batch, batches: requests.length, first, over },
      });
      first += part.length;
      await this.networks.makeRoom('unet');
      await this.base.makeRoom('unet');
      for (const [i, request] of part.entries()) {
        signal?.throwIfAborted();
        const final = unstack(latents, i);
        yield { request, picture: await this.decode(final), latents: final };
      }
      await this.networks.makeRoom('decoder');
    }
    for (const { networks } of regions) await networks.release();
  }

  /** Who reads the prompts, with which kind of guidance, and how many of the text encoders' contexts a picture's prompts take. */
  private promptEncoders(options: SamplingOptions): PromptEncoders {
    const { guidance, baseGuidance = 0, promptRules = 'none', onWarning } = options;
    const isDistilled = guidanceTensor(this.model.unet.config, guidance, 1) !== undefined;
    const withBase = !isDistilled && baseGuidance > 0;
    const plain = !isDistilled && !withBase && guidance > 1;
    // AUTOMATIC1111's web UI leaves out the layers of both prompts.
    const others = promptRules === 'none' ? this.ofNegatives : undefined;
    const reader = (
      networks: Networks,
      warn?: typeof onWarning,
      ofNegatives?: PromptEncoder,
    ): PromptEncoder => new PromptEncoder(networks, this.tokenizer, promptRules, warn, options, ofNegatives);
    const own = reader(this.networks, onWarning, others && reader(others.networks));
    const base = reader(this.base, undefined, others && reader(others.base));
    const lengthOf = ({ prompt, negative = '' }: PictureRequest): number =>
      Math.max(own.length(prompt), plain || withBase ? own.length(negative) : 0);
    return { own, base, plain, withBase, lengthOf };
  }

  /** A text as the text encoders read it, for one picture of the model's size. Errors: `tokenizer.invalid`, `output.notFinite`. */
  async encodePrompt(text: string): Promise<PromptEmbeds> {
    const encoded = await new PromptEncoder(this.networks, this.tokenizer, 'none').encode(text, 1);
    await this.networks.release('text');
    return this.checkedPrompt(encoded);
  }

  private async releaseText(): Promise<void> {
    const { networks, base, ofNegatives } = this;
    for (const one of [networks, base, ofNegatives?.networks, ofNegatives?.base]) await one?.release('text');
  }

  async dispose(): Promise<void> {
    await this.releaseText();
    await this.networks.release();
    await this.base.release();
  }

  private async sample(
    requests: readonly PictureRequest[],
    [, ...shape]: readonly [number, number, number, number],
    conditions: Conditions,
    options: SamplingOptions,
    { batch, batches, first, over }: BatchPlace,
  ): Promise<Floats> {
    const sampler = this.samplerOf(options);
    const generators = requests.map(({ seed }) => new TorchGenerator(seed));
    const randn = (i: number): Floats => ({
      dtype: 'f32',
      shape: [1, ...shape],
      data: (generators[i] as TorchGenerator).randn(shape),
    });
    const start = over
      ? over.begin(
          sampler,
          options.steps,
          requests.map(({ latents }, i) => over.draw(() => randn(i), latents)),
        )
      : fromNoise(sampler, stack(requests.map(({ latents }, i) => latents ?? randn(i))));
    const { latents: begun, beside, afterStep } = start;
    const steps = sampler.timesteps.length - start.first;
    let done = batch * steps;
    return denoise(
      this.networks,
      sampler,
      begun,
      { ...conditions, ...(beside && { beside }) },
      {
        first: start.first,
        ...(afterStep && { afterStep }),
        noise: () => stack(requests.map((_, i) => randn(i))).data,
        onStep: (latents, i, input, output) => {
          this.checked({ ...begun, data: latents }, 'unet', this.model.unet.weights);
          options.onStep?.(++done, batches * steps, latents);
          const clean = { ...begun, data: sampler.clean(output, input, i) };
          options.onPreview?.(clean, first, i + 1 - start.first, steps);
        },
        ...(options.signal && { signal: options.signal }),
      },
    );
  }

  /** Encodes what is drawn over. Without an original, a U-Net that sees masks is shown nothing, all of it masked. */
  private async encodeOriginal({
    original,
    width,
    height,
  }: SamplingOptions): Promise<EncodedOriginal | undefined> {
    const { networks, model } = this;
    if (original) return EncodedOriginal.of(networks, model, original);
    if (!seesMasks(model.unet.config)) return undefined;
    const picture = { width, height, data: new Uint8Array(3 * width * height) };
    return EncodedOriginal.of(networks, model, { picture, strength: 1 });
  }

  private async decode(latents: Floats): Promise<Picture> {
    const { config, weights } = this.model.vae;
    const image = await this.networks.decode({
      ...latents,
      data: latents.data.map((value) => value / config.scaling_factor),
    });
    return toPicture(this.checked(image, 'vae', weights));
  }

  private checkedPrompt(prompt: PromptEmbeds): PromptEmbeds {
    this.checked(prompt.context, 'text_encoder', this.model.textEncoder.weights);
    const { textEncoder2: second } = this.model;
    if (second && prompt.added) this.checked(prompt.added.text_embeds, 'text_encoder_2', second.weights);
    return prompt;
  }

  /** Throws where a value is not a number, naming the weight that is to blame, if one is. */
  private checked(tensor: Floats, part: string, weights: Weights): Floats {
    if (tensor.data.every(Number.isFinite)) return tensor;
    findBadValues(weights);
    throw problem('output.notFinite', { model: this.model.path, part });
  }

  private latentShape({
    width,
    height,
  }: Pick<SamplingOptions, 'width' | 'height'>): readonly [number, number, number, number] {
    const factor = pixelsPerLatent(this.model.vae.config);
    const fits = (size: number): boolean => Number.isInteger(size) && size >= factor && size % factor === 0;
    if (!fits(width) || !fits(height)) throw problem('size.unusable', { width, height, factor });
    return [1, this.model.vae.config.latent_channels, height / factor, width / factor];
  }
}

interface PromptEncoders {
  readonly own: PromptEncoder;
  readonly base: PromptEncoder;
  readonly plain: boolean;
  readonly withBase: boolean;
  readonly lengthOf: (request: PictureRequest) => number;
}

/** Which pictures a batch holds, and what they are drawn over. */
interface BatchPlace {
  readonly batch: number;
  readonly batches: number;
  /** Its first picture's place. */
  readonly first: number;
  readonly over: EncodedOriginal | undefined;
}

function fromNoise({ initNoiseSigma }: NamedSampler, noise: Floats): Beginning {
  return { first: 0, latents: { ...noise, data: noise.data.map((value) => value * initNoiseSigma) } };
}

/** Stretches of equal values, each at most `most` long: all contexts of a batch must have one length. */
function runsOfEqual(values: readonly number[], most: number): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const [i, value] of values.entries()) {
    const last = runs.at(-1);
    if (last && last.count < most && values[last.first] === value) last.count++;
    else runs.push({ first: i, count: 1 });
  }
  return runs;
}

/** Joins the conditions of single pictures into those of a batch. */
function together(parts: readonly Conditions[]): Conditions {
  const [first] = parts;
  if (!first) throw new Error('a batch has at least one picture');
  const all = (of: (one: Conditions) => PromptEmbeds | undefined): PromptEmbeds =>
    stackPrompts(parts.flatMap((one) => of(one) ?? []));
  return {
    ...first,
    prompt: all(({ prompt }) => prompt),
    ...(first.negative && { negative: all(({ negative }) => negative) }),
    ...(first.distilled && { distilled: stack(parts.flatMap(({ distilled }) => distilled ?? [])) }),
    ...(first.base && {
      base: {
        ...first.base,
        prompt: all(({ base }) => base?.prompt),
        negative: all(({ base }) => base?.negative),
      },
    }),
  };
}

export { pixelsPerLatent } from './sizes.ts';
