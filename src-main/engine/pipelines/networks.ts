import { messages, problem } from '../../../src-shared/messages/index.ts';
import type { Model } from '../checkpoints/model.ts';
import { readF32, type Weights } from '../checkpoints/weights.ts';
import { input } from '../graph/build.ts';
import { leaves, type Graph } from '../graph/graph.ts';
import { inPrecision } from '../graph/mixedPrecision.ts';
import type { Value } from '../graph/ops.ts';
import { encodePrompt, promptEnds, promptLength, type PromptStates } from '../models/textEncoders.ts';
import { addedInputs } from '../models/addedEmbedding.ts';
import { unet } from '../models/unet.ts';
import { vaeDecode, vaeEncode } from '../models/vae.ts';
import { Scope, type Adapter } from '../nn/scope.ts';
import { memoryOf } from '../onnx/deviceMemory.ts';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider, ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { graphicsDevices } from '../runtime/graphicsDevice.ts';
import { providerNotice } from '../runtime/notices.ts';
import { formOn, providerFor, Session, type Form } from '../runtime/session.ts';
import { Tensor } from '../runtime/tensor.ts';
import { keptAs } from '../runtime/weightsOnWebGpu.ts';
import { toF32 } from '../tensor/half.ts';
import { dims4, f32, type DType, type HostTensor, type Shape } from '../tensor/tensor.ts';
import { BatchInParts, deviceMemory, share, together } from './batchInParts.ts';
import type { PromptEmbeds } from './batches.ts';
import { decodeTiled } from './tiledDecode.ts';
import { partNames, storedWeights, type WeightLookup } from './weights.ts';

export interface NetworkOptions {
  readonly provider?: ProviderChoice;
  /** What products, activations and weights are in, where the provider can compute in that; f32 when left out. */
  readonly precision?: Precision;
  readonly threads?: number;
  readonly adapters?: ReadonlyMap<string, readonly Adapter[]>;
  /** Weights that are used instead of the model's or beside them: a LoRA's matrices. */
  readonly own?: WeightLookup;
  /** Vectors [n, width] appended to the text encoder's token table: words that it was not trained with. */
  readonly words?: HostTensor<'f32'>;
  /** Weights given anew at every run, by full name: those that are being trained. */
  readonly fed?: Readonly<Record<string, Tensor>>;
}

const tokenTable = 'text_model.embeddings.token_embedding.weight';

type Part = 'text' | 'unet' | 'encoder' | 'decoder';

/** What a network is computed in, and what its weights are kept in on a device. */
interface Kept extends Pick<Form, 'computes'> {
  readonly stored?: DType;
}

/** Whether guidance enlarges a network's errors, for it takes two nearly equal results from each other. */
const isGuided = (part: Part): boolean => part === 'text' || part === 'unet';
type Floats = HostTensor<'f32'>;

/** Bytes of device memory in which the U-Net of Stable Diffusion and a decoder at work fit together, in f32. */
const roomy = 12e9;

/** Latents decoded at once: 512² pixels on any device, 2,048 × 1,024 on the CPU, which takes about 8 GB for that. */
const alwaysWhole = 64 * 64;
const wholeOnCpu = 256 * 128;

/** What the U-Net is called with, a row for each picture. */
type Rows = Readonly<Record<'sample' | 'timesteps' | 'context', Floats>> &
  Readonly<Partial<Record<'text_embeds' | 'time_ids' | 'guidance', Floats>>>;
/** What it is called with besides where it lends itself to the model without adapters. */
type Switch = Readonly<Partial<Record<'strength', Floats>>>;

/** Tensors by name, some of which may be absent. */
type Feeds = Readonly<Record<string, HostTensor | undefined>>;
/** As many values of a graph. */
type ValuesOf<F> = { [K in keyof F]: F[K] extends HostTensor ? Value : Value | undefined };
type FloatsOf<V> = { [K in keyof V]: V[K] extends Value ? Floats : Floats | undefined };

/** A model's networks, ready to be called. Sessions are made when first needed, one for each network and size at a time. */
export class Networks {
  private readonly sessions = new Map<Part, { key: string; session: Session }>();
  /** Simulated, by the latents' shape. */
  private readonly decoderBytes = new Map<string, number>();
  private inParts: BatchInParts | undefined;
  /** The same model as it was taught, whose U-Net serves this one too, at strength 0. */
  private lender: Networks | undefined;
  private lends = false;
  /** Of the device's memory, for rows at a time. */
  private share = share;
  /** There is no room for this U-Net while the others that are called with it lie there. */
  private takesTurns = false;

  constructor(
    readonly model: Model,
    private readonly options: NetworkOptions = {},
  ) {}

  /** Tokens i64 [b,t], of two text encoders [b,2t] → `encodePrompt`. */
  async encodeText(ids: HostTensor<'i64'>): Promise<PromptStates<Floats>> {
    const ends = promptEnds(ids, this.model);
    return this.run('text', { ids, ...(ends && { ends }) }, (tokens) =>
      encodePrompt((part) => this.scope(part), tokens, this.model),
    );
  }

  /**
   * Noise or velocity [b,c,h,w] for latents [b,c,h,w], timesteps [b], encoded prompts and, for a model that takes it, `guidanceTensor`. Where a
   * device has too little memory for all rows at once, it takes fewer at a time.
   */
  async predict(
    sample: Floats,
    timesteps: Floats,
    { context, added }: PromptEmbeds,
    guidance?: Floats,
  ): Promise<Floats> {
    const feeds = { sample, timesteps, context, ...added, ...(guidance && { guidance }) };
    const [called, strength] = this.lender ? [this.lender, 0] : [this, 1];
    const found = await called.predicted(feeds, strength);
    if (called.takesTurns) await called.release('unet');
    return found;
  }

  private async predicted(feeds: Rows, strength: number): Promise<Floats> {
    const whole = (rows: Rows): Rows & Switch =>
      this.lends ? { ...rows, strength: f32([], [strength]) } : rows;
    const build = (given: ValuesOf<Rows & Switch>): Value => this.unet(given);
    const outputOf = (given: ValuesOf<Rows & Switch>): { output: Value } => ({ output: build(given) });
    const provider = await providerFor(this.options.provider ?? 'cpu');
    if (feeds.sample.shape[0] === 1 || provider === 'cpu') return this.call('unet', whole(feeds), build);
    const kept = await this.kept('unet', provider);
    this.inParts ??= new BatchInParts(provider);
    return this.inParts.call(feeds, {
      share: this.share,
      bytesOf: (some) => this.bytesOn(provider, graphOf(whole(some), outputOf), kept),
      run: (some, canAskForLess) => this.call('unet', whole(some), build, canAskForLess),
      release: () => this.release('unet'),
    });
  }

  private unet({ text_embeds, time_ids, strength, ...inputs }: ValuesOf<Rows & Switch>): Value {
    const given = text_embeds && time_ids ? { ...inputs, added: { text_embeds, time_ids } } : inputs;
    return unet(this.scope(partNames.unet, strength), given, this.model.unet.config).sample;
  }

  /**
   * Calls the U-Net of one of `taught`, the same model with adapters, in place of its own, where a device has too little memory for all
   * of them at latents of this shape: with the adapters' strength at 0 it computes the same. Without a shape, each calls its own.
   */
  async borrowFrom(taught: readonly Networks[], latents?: Shape): Promise<void> {
    const count = 1 + taught.length;
    this.lender = undefined;
    for (const networks of taught) {
      networks.lends = !this.lender && latents !== undefined && (await networks.hasToLend(latents, count));
      if (networks.lends) this.lender = networks;
    }
    if (this.lender) await this.release('unet');
  }

  /**
   * `taught`, and `base` where it guides, are called one after the other with latents of this shape. Where a device's memory is short, one of
   * them computes `base`'s U-Net (`borrowFrom`); where it still is, each U-Net leaves the device after its call. The more there are, the fewer
   * rows does each take at a time.
   */
  static async shareDevice(
    taught: readonly Networks[],
    base: Networks,
    guides: boolean,
    latents: Shape,
  ): Promise<void> {
    await base.borrowFrom(taught, guides ? latents : undefined);
    const own = [...taught, ...(guides && !base.lender ? [base] : [])];
    let bytes = 0;
    if (own.length > 1) for (const networks of own) bytes += await networks.bytesOfOne(latents);
    const takesTurns = bytes > together * (await deviceMemory());
    if (takesTurns) providerNotice(messages['provider.byTurns']());
    for (const networks of own)
      Object.assign(networks, { takesTurns, share: Math.min(share, 1 / (2 * own.length)) });
  }

  private async hasToLend(latents: Shape, count: number): Promise<boolean> {
    const { adapters, own = () => undefined } = this.options;
    if (!adapters?.size) return false;
    const isChanged = (name: string): boolean => this.isFed(name) || own(name) !== undefined;
    // Other weights than the model's can't be taken away.
    const { weights } = this.model.unet;
    if (weights.names().some((name) => isChanged(`${partNames.unet}.${name}`))) return false;
    return count * (await this.bytesOfOne(latents)) > share * (await deviceMemory());
  }

  /** What the U-Net takes on a device for one picture, by simulation; nothing on the CPU. */
  private async bytesOfOne([, , height = 0, width = 0]: Shape): Promise<number> {
    const provider = await providerFor(this.options.provider ?? 'cpu');
    if (provider === 'cpu') return 0;
    const { config } = this.model.unet;
    const inputs = {
      sample: input('sample', [1, config.in_channels, height, width]),
      timesteps: input('timesteps', [1]),
      context: input('context', [1, promptLength(this.model), config.cross_attention_dim[0] as number]),
      ...addedInputs(config, 1).added,
    };
    const graph = { outputs: { output: this.unet(inputs) } };
    return this.bytesOn(provider, graph, await this.kept('unet', provider));
  }

  /**
   * Latents [b,c,h,w], divided by the scaling factor already → image [b,3,h',w'] in about [-1,1]. A large picture is decoded in tiles,
   * one after the other.
   */
  async decode(latents: Floats): Promise<Floats> {
    const whole = (part: Floats): Promise<Floats> =>
      this.call('decoder', { latents: part }, ({ latents }) => this.decoder(latents).image);
    return (await this.fitsWhole(latents.shape)) ? whole(latents) : decodeTiled(latents, whole);
  }

  /** Whether latents are decoded at once: by simulation, in half of the device's memory (others have the rest); by size on the CPU. */
  private async fitsWhole(shape: Shape): Promise<boolean> {
    const [batch, , height, width] = dims4(shape);
    if (batch > 1 || height * width <= alwaysWhole) return true;
    const { provider = 'cpu' } = this.options;
    const on = await providerFor(provider);
    if (on === 'cpu') return height * width <= wholeOnCpu;
    const memory = (await graphicsDevices())[0]?.memory;
    if (memory === undefined) return false;
    const graph = (): Graph => ({ outputs: this.decoder(input('latents', shape)) });
    const bytes =
      this.decoderBytes.get(shape.join()) ?? this.bytesOn('webgpu', graph(), await this.kept('decoder', on));
    this.decoderBytes.set(shape.join(), bytes);
    return bytes <= memory / 2;
  }

  /** Throws now what `decode` would throw once the latents are there. Errors: `tensor.*`. */
  checkDecoder(latents: Shape): void {
    storedWeights({ outputs: this.decoder(input('latents', latents)) }, this.model, this.options.own);
  }

  /** Image [b,3,h,w] in [-1,1] → mean and log-variance of its latents, before the scaling factor. */
  async encode(image: Floats): Promise<{ mean: Floats; logvar: Floats }> {
    return this.run('encoder', { image }, ({ image }) => ({
      ...vaeEncode(this.scope(partNames.vae), image, this.model.vae.config),
    }));
  }

  /** Releases the memory of one network, or of all; the next call makes it again. */
  async release(...parts: Part[]): Promise<void> {
    for (const part of parts.length ? parts : [...this.sessions.keys()]) {
      await this.sessions.get(part)?.session.dispose();
      this.sessions.delete(part);
    }
  }

  /**
   * Releases a network that is no longer needed where the next one needs its memory: on a graphics device, unless that is known to
   * be large. On the CPU, weights are mapped from their file and stay.
   */
  async makeRoom(part: Part): Promise<void> {
    const session = this.sessions.get(part)?.session;
    if (!session || session.provider === 'cpu') return;
    const memory = (await graphicsDevices())[0]?.memory ?? 0;
    if (memory < roomy) await this.release(part);
  }

  /** SDXL's own VAE overflows in f16; a model of one text encoder was made for it. */
  private needsSingles(part: Part): boolean {
    const { textEncoder2, vae } = this.model;
    return !!textEncoder2 && vae.config.force_upcast && (part === 'encoder' || part === 'decoder');
  }

  /** What a network takes on a device, by simulation. */
  private bytesOn(provider: Provider, graph: Graph, { computes, stored }: Kept): number {
    const target = provider === 'webgpu' ? 'webgpu' : 'device';
    const { held, live, cached } = memoryOf(this.mixed(graph, computes), target, {
      ...(stored && { stored }),
      isFed: this.isFed,
    });
    return held + (target === 'webgpu' ? cached : live);
  }

  private decoder(latents: Value): { image: Value } {
    return { image: vaeDecode(this.scope(partNames.vae), latents, this.model.vae.config) };
  }

  private scope(part: string, strength?: Value): Scope {
    const { adapters } = this.options;
    return Scope.root(part, { ...(adapters && { adapters }), ...(strength && { strength }) });
  }

  private async call<F extends Feeds>(
    part: Part,
    feeds: F,
    build: (inputs: ValuesOf<F>) => Value,
    canAskForLess = false,
  ): Promise<Floats> {
    const { output } = await this.run(part, feeds, (inputs) => ({ output: build(inputs) }), canAskForLess);
    return output;
  }

  private async run<F extends Feeds, V extends { [K in keyof V]: Value | undefined }>(
    part: Part,
    feeds: F,
    build: (inputs: ValuesOf<F>) => V,
    canAskForLess = false,
  ): Promise<FloatsOf<V>> {
    const entries = present(feeds);
    const key = entries.map(([name, { shape }]) => `${name} ${shape.join()}`).join('; ');
    const session = await this.session(part, key, () => graphOf(feeds, build), canAskForLess);
    const given = Object.fromEntries(entries.map(([name, tensor]) => [name, Tensor.from(tensor)]));
    const results = await session.run({ ...this.options.fed, ...given });
    const hosts = Object.entries(results).map(([name, tensor]) => [name, tensor.host]);
    return Object.fromEntries(hosts) as FloatsOf<V>;
  }

  private readonly withWords: WeightLookup = (name) => {
    const { own = () => undefined, words } = this.options;
    if (!words || name !== `${partNames.textEncoder}.${tokenTable}`) return own(name);
    const table = own(name) ?? this.model.textEncoder.weights.get(tokenTable);
    if (!table) return undefined;
    const known = 'data' in table ? toF32(table) : readF32(table);
    const data = new Float32Array(known.data.length + words.data.length);
    data.set(known.data);
    data.set(words.data, known.data.length);
    const [rows = 0, width = 0] = known.shape;
    return { dtype: 'f32', shape: [rows + (words.shape[0] ?? 0), width], data };
  };

  private readonly isFed = (name: string): boolean => name in (this.options.fed ?? {});

  private async form(part: Part): Promise<Form> {
    const { provider = 'cpu', precision = 'f32' } = this.options;
    return formOn(provider, this.needsSingles(part) ? 'f32' : precision, isGuided(part));
  }

  /** What a network's weights take on a device. */
  private async kept(part: 'unet' | 'decoder', provider: Provider): Promise<Kept> {
    const { computes, storedIn } = await this.form(part);
    const { weights } = part === 'unet' ? this.model.unet : this.model.vae;
    const [first = ''] = weights.names();
    const inFile = weights.get(first)?.dtype;
    const stored = provider === 'webgpu' ? await keptAs(inFile, storedIn) : (storedIn ?? inFile);
    return { computes, ...(stored && { stored }) };
  }

  private mixed(graph: Graph, precision: Precision): Graph {
    return inPrecision(graph, precision, this.isFed);
  }

  private async session(
    part: Part,
    key: string,
    build: () => Graph,
    canAskForLess: boolean,
  ): Promise<Session> {
    const known = this.sessions.get(part);
    if (known?.key === key) return known.session;
    await this.release(part);
    const { provider, threads, own } = this.options;
    const { computes, storedIn } = await this.form(part);
    const graph = this.mixed(build(), computes);
    if (part === 'unet') refuseSurplus(graph, this.model.unet.weights);
    const session = await Session.compile(graph, {
      weights: storedWeights(graph, this.model, part === 'text' ? this.withWords : own, this.isFed),
      canAskForLess,
      ...(storedIn && { storedIn }),
      ...(provider && { provider }),
      ...(threads && { threads }),
    });
    this.sessions.set(part, { key, session });
    return session;
  }
}

/** The graph that `build` makes of inputs like these tensors. */
function graphOf<F extends Feeds, V extends { [K in keyof V]: Value | undefined }>(
  feeds: F,
  build: (inputs: ValuesOf<F>) => V,
): Graph {
  const inputs = present(feeds).map(([name, { shape, dtype }]) => [name, input(name, shape, dtype)]);
  return { outputs: Object.fromEntries(present(build(Object.fromEntries(inputs) as ValuesOf<F>))) };
}

function present<T>(named: Readonly<Record<string, T | undefined>>): [name: string, T][] {
  return Object.entries(named).flatMap(([name, one]) => (one === undefined ? [] : [[name, one]]));
}

/** Refuses blocks that the weights have and the config leaves out: one of the two is another model's. Errors: `tensor.surplus`. */
function refuseSurplus(graph: Graph, weights: Weights): void {
  const used = leaves(graph, 'parameter');
  const [tensor] = weights
    .names()
    .filter(
      (name) => /^(down_blocks|mid_block|up_blocks)\./.test(name) && !used.has(`${partNames.unet}.${name}`),
    );
  if (tensor !== undefined) throw problem('tensor.surplus', { file: weights.source, tensor });
}
