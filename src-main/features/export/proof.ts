import { basename, join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { fitLora } from '../../engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../engine/checkpoints/lora/readLora.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { wordsFor, type NewWords } from '../../engine/checkpoints/embedding.ts';
import { textToImageWith } from '../../engine/pipelines/withWords.ts';
import { bindLoras } from '../../engine/pipelines/adapters.ts';
import { Networks, type NetworkOptions } from '../../engine/pipelines/networks.ts';
import { joinChannels, stack } from '../../engine/pipelines/batches.ts';
import { guidanceTensor } from '../../engine/pipelines/denoise.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { runOnnxFile } from '../../engine/runtime/onnxFile.ts';
import { TorchGenerator } from '../../engine/tensor/random.ts';
import { i64, type HostTensor } from '../../engine/tensor/tensor.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
import { proveCoreml } from './coreml/proveCoreml.ts';
import { difference } from './difference.ts';
import type { onnxParts } from './exportOnnx.ts';
import type { OpenedRun } from './openRun.ts';
import { readWords } from './words.ts';
import type { ExportRequest } from './request.ts';

/** The result of reading an export back. */
export interface Proof {
  /** Tensors found in what was written. */
  readonly tensors: number;
  /** Largest difference of a picture's latents (for ONNX and Core ML, of each network's outputs), relative to the largest value. */
  readonly maxError: number;
}

export interface TitledPicture {
  readonly title: string;
  readonly picture: Picture;
}

/** The same with the pictures that were compared. */
export interface ShownProof extends Proof {
  readonly pictures: readonly TitledPicture[];
}

/** Rounding to 16 bits changes a picture a little at every step. */
const tolerance = { f32: 3e-3, f16: 0.1 } as const;
const steps = 4;
const guidance = 4;

/** Reads an export back and compares one picture with the run's own. Errors: `export.unproven`. */
export async function prove(
  run: OpenedRun,
  request: ExportRequest,
  signal: AbortSignal,
): Promise<ShownProof> {
  const { out, format, dtype } = request;
  const networks =
    format === 'onnx'
      ? await proveOnnx(run, out)
      : format === 'coreml'
        ? await proveCoreml(run, out, signal)
        : undefined;
  const proof = networks
    ? { ...networks, pictures: [await taught(run, signal)] }
    : await provePicture(run, request, signal);
  const stored =
    dtype ??
    ((run.adapters.length > 0 && (format === 'peft' || format === 'kohya')) || format === 'embedding'
      ? 'f32'
      : 'f16');
  if (!(proof.maxError <= tolerance[stored]))
    throw problem('export.unproven', { file: basename(out), error: proof.maxError.toPrecision(2) });
  if (changesNothing(run)) return proof;
  const before = await draw(run, run.model, {}, signal);
  return { ...proof, pictures: [{ ...before, title: 'base model' }, ...proof.pictures] };
}

/** It draws what the base model draws. */
function changesNothing({ changes, words }: OpenedRun): boolean {
  const { unet, vae, textEncoder, textEncoder2 } = changes;
  return !words && [unet, vae, textEncoder, textEncoder2].every((changed) => !changed?.size);
}

const taught = async (run: OpenedRun, signal: AbortSignal): Promise<Drawn & { title: string }> => ({
  ...(await draw(run, run.model, run.networks, signal, run.words)),
  title: run.title,
});

async function provePicture(
  run: OpenedRun,
  { out, format }: ExportRequest,
  signal: AbortSignal,
): Promise<ShownProof> {
  const wanted = await taught(run, signal);
  if (format === 'embedding') {
    const words = wordsFor(run.model, readWords(out));
    return shown(words.counts.size, wanted, await draw(run, run.model, {}, signal, words));
  }
  if (format === 'peft' || format === 'kohya') {
    const { adapters, changes, unmatched } = fitLora(readLora(out), run.model);
    // There may be one more: a pair of zeros for other tools.
    if (unmatched.length > 0 || adapters.length + changes.length < run.adapters.length)
      throw problem('export.unproven', { file: basename(out), error: '∞' });
    const { adapters: bound, matrices } = bindLoras([{ adapters, changes, weight: 1 }]);
    const got = await draw(run, run.model, { adapters: bound, own: matrices }, signal);
    const count = changes.reduce((sum, { parameters }) => sum + parameters.length, 2 * adapters.length);
    return shown(count, wanted, got);
  }
  const exported = openModel(out);
  const got = await draw(run, exported, {}, signal);
  const { unet, vae, textEncoder, textEncoder2 } = exported;
  const parts = [unet, vae, textEncoder, ...(textEncoder2 ? [textEncoder2] : [])];
  const tensors = parts.reduce((sum, { weights }) => sum + weights.names().length, 0);
  return shown(tensors, wanted, got);
}

interface Drawn {
  readonly latents: Float32Array;
  readonly picture: Picture;
}

function shown(tensors: number, wanted: Drawn & { title: string }, got: Drawn): ShownProof {
  const maxError = difference(got.latents, wanted.latents);
  return { tensors, maxError, pictures: [wanted, { ...got, title: 'the export, read back' }] };
}

async function draw(
  { prompt, size, model: base }: OpenedRun,
  model: Model,
  options: NetworkOptions,
  signal: AbortSignal,
  words?: NewWords,
): Promise<Drawn> {
  const pipeline = words
    ? await textToImageWith(words, model, options)
    : new TextToImage(model, await openTokenizer(base), options);
  const sides = { width: size, height: size };
  const request = { prompt, seed: 0 };
  try {
    const options = { steps, guidance, ...sides, signal };
    for await (const { latents, picture } of pipeline.generate([request], options))
      return { latents: latents.data, picture };
    throw new Error('no picture was made');
  } finally {
    await pipeline.dispose();
  }
}

/** Every network of the export, executed by ONNX Runtime from its file, against the run's own networks. */
async function proveOnnx(run: OpenedRun, out: string): Promise<Proof> {
  const { model, prompt, size } = run;
  const networks = new Networks(model, run.networks);
  const generator = new TorchGenerator(0);
  let tensors = 0;
  let maxError = 0;
  const call = async (
    part: (typeof onnxParts)[number],
    feeds: Record<string, HostTensor>,
  ): Promise<Record<string, HostTensor>> => {
    tensors += Object.keys(feeds).length;
    return runOnnxFile(join(out, part, 'model.onnx'), feeds);
  };
  const compare = (got: HostTensor | undefined, wanted: HostTensor): void => {
    maxError = Math.max(
      maxError,
      got ? difference(got.data as Float32Array, wanted.data as Float32Array) : Infinity,
    );
  };
  const noise = (shape: readonly number[]): HostTensor<'f32'> => ({
    dtype: 'f32',
    shape,
    data: generator.randn(shape),
  });
  try {
    const tokenizer = await openTokenizer(model);
    const { ids } = tokenizer.encode(prompt);
    const inputIds = i64([1, ids.length], ids);
    const { context } = await networks.encodeText(inputIds);
    compare((await call('text_encoder', { input_ids: inputIds }))['last_hidden_state'], context);

    const sample = noise(latentShape(run));
    const timestep: HostTensor<'f32'> = { dtype: 'f32', shape: [1], data: Float32Array.of(500) };
    // With guidance, it is called with two at once.
    const two = { sample: stack([sample, sample]), timestep: stack([timestep, timestep]) };
    const contexts = stack([context, context]);
    const guidance = guidanceTensor(model.unet.config, 7.5, 2);
    const given = { ...two, encoder_hidden_states: contexts, ...(guidance && { timestep_cond: guidance }) };
    compare(
      (await call('unet', given))['out_sample'],
      await networks.predict(two.sample, two.timestep, { context: contexts }, guidance),
    );

    const latents = noise([1, model.vae.config.latent_channels, ...sample.shape.slice(2)]);
    compare(
      (await call('vae_decoder', { latent_sample: latents }))['sample'],
      await networks.decode(latents),
    );
    const image = noise([1, 3, size, size]);
    const { mean, logvar } = await networks.encode(image);
    compare((await call('vae_encoder', { sample: image }))['latent_parameters'], joinChannels(mean, logvar));
  } finally {
    await networks.release();
  }
  return { tensors, maxError };
}

function latentShape({ model, size }: OpenedRun): number[] {
  const side = size / 2 ** (model.vae.config.block_out_channels.length - 1);
  return [1, model.unet.config.in_channels, side, side];
}
