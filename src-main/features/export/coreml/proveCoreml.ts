import { join } from 'node:path';
import { readPackage } from '../../../engine/coreml/readPackage.ts';
import { joinChannels, stack, type PromptEmbeds } from '../../../engine/pipelines/batches.ts';
import { Networks } from '../../../engine/pipelines/networks.ts';
import { openTokenizer } from '../../../engine/pipelines/openTokenizer.ts';
import { pixelsPerLatent, sizesFor } from '../../../engine/pipelines/sizes.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { TorchGenerator } from '../../../engine/tensor/random.ts';
import { asF32, elementCount, f32, i64, type HostTensor } from '../../../engine/tensor/tensor.ts';
import { difference } from '../difference.ts';
import type { OpenedRun } from '../openRun.ts';
import { applePartsOf, latentScale, type ApplePart } from './appleGraphs.ts';
import { noiseTables } from './appleNoise.ts';

type Floats = HostTensor<'f32'>;

/** The timestep that the U-Net is tried at. */
const timestep = 500;

/**
 * Every package of the export: its program is read back operation by operation, with the weights in the package, and computed by ONNX
 * Runtime in f32, against the run's own networks. Core ML itself runs only on Apple's systems.
 */
export async function proveCoreml(
  run: OpenedRun,
  out: string,
  signal: AbortSignal,
): Promise<{ tensors: number; maxError: number }> {
  const { model, prompt, size } = run;
  const networks = new Networks(model, run.networks);
  const generator = new TorchGenerator(0);
  const noise = (...shape: number[]): Floats => f32(shape, generator.randn(shape));
  let [tensors, maxError] = [0, 0];
  const compare = async (
    part: ApplePart,
    feeds: Readonly<Record<string, Floats>>,
    wanted: Readonly<Record<string, Floats>>,
  ): Promise<void> => {
    const { outputs, count } = await computed(join(out, `${part}.mlpackage`), feeds);
    tensors += count;
    for (const [name, { data }] of Object.entries(wanted))
      maxError = Math.max(maxError, difference(outputs[name] ?? new Float32Array(), data));
    signal.throwIfAborted();
  };
  try {
    const tokenizer = await openTokenizer(model);
    const { ids } = tokenizer.encode(prompt);
    const { context, pooled } = await networks.encodeText(i64([1, ids.length], ids));
    if (pooled && model.textEncoder2) {
      const half = ids.length / 2;
      const width = model.textEncoder.config.hidden_size;
      const [own, other] = columns(context, width);
      await compare('TextEncoder', { input_ids: f32([1, half], ids.slice(0, half)) }, { hidden_embeds: own });
      await compare(
        'TextEncoder2',
        { input_ids: f32([1, half], ids.slice(half)) },
        { hidden_embeds: other, pooled_outputs: pooled },
      );
    } else
      await compare('TextEncoder', { input_ids: f32([1, ids.length], ids) }, { last_hidden_state: context });

    const side = size / pixelsPerLatent(model.vae.config);
    const sample = noise(2, model.unet.config.in_channels, side, side);
    const contexts = stack([noise(...context.shape), context]);
    const sizes = sizesFor({ width: size, height: size });
    const added = pooled && { text_embeds: stack([pooled, pooled]), time_ids: stack([sizes, sizes]) };
    const feeds = {
      ...{ sample, timestep: f32([2], [timestep, timestep]), encoder_hidden_states: asApple(contexts) },
      ...added,
    };
    const encoded = { context: contexts, ...(added && { added }) };
    await compare('Unet', feeds, { noise_pred: await noiseOf(run, networks, sample, encoded) });

    const scaling = latentScale(model);
    const z = noise(1, model.vae.config.latent_channels, side, side);
    const latents = f32(
      z.shape,
      z.data.map((value) => value * scaling),
    );
    await compare('VAEDecoder', { z }, { image: await networks.decode(latents) });
    if (applePartsOf(model).includes('VAEEncoder')) {
      const x = noise(1, 3, size, size);
      const { mean, logvar } = await networks.encode(x);
      const latent = joinChannels(
        { ...mean, data: mean.data.map((value) => value / scaling) },
        { ...logvar, data: logvar.data.map((value) => value - 2 * Math.log(scaling)) },
      );
      await compare('VAEEncoder', { x }, { latent });
    }
  } finally {
    await networks.release();
  }
  return { tensors, maxError };
}

async function computed(
  folder: string,
  feeds: Readonly<Record<string, Floats>>,
): Promise<{ outputs: Record<string, Float32Array>; count: number }> {
  const { graph, weights, tensors } = readPackage(folder);
  const session = await Session.compile(graph, { weights });
  try {
    const results = Object.entries(await session.runHost(feeds));
    const outputs = results.map(([name, tensor]) => [name, asF32(tensor).data] as const);
    return { outputs: Object.fromEntries(outputs), count: tensors };
  } finally {
    await session.dispose();
  }
}

/** The run's prediction as Apple's samplers take it: as noise. */
async function noiseOf(
  { model }: OpenedRun,
  networks: Networks,
  sample: Floats,
  prompt: PromptEmbeds,
): Promise<Floats> {
  const { timesteps, asNoise } = noiseTables(model);
  const own = timesteps?.[timestep] ?? timestep;
  const output = await networks.predict(sample, f32([2], [own, own]), prompt);
  if (!asNoise) return output;
  const [a = 1, b = 0] = [asNoise.ofOutput[timestep], asNoise.ofSample[timestep]];
  return { ...output, data: output.data.map((value, i) => a * value + b * (sample.data[i] as number)) };
}

/** [b,t,d] → [b,d,1,t]. */
function asApple({ shape, data }: Floats): Floats {
  const [batch = 0, tokens = 0, width = 0] = shape;
  const turned = new Float32Array(elementCount(shape));
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < tokens; t++)
      for (let d = 0; d < width; d++)
        turned[(b * width + d) * tokens + t] = data[(b * tokens + t) * width + d] as number;
  return f32([batch, width, 1, tokens], turned);
}

/** The first `width` columns of [1,t,d], and the rest. */
function columns({ shape, data }: Floats, width: number): [Floats, Floats] {
  const [, tokens = 0, all = 0] = shape;
  const some = (from: number, to: number): Floats => {
    const rows = Array.from({ length: tokens }, (_, t) => [...data.subarray(t * all + from, t * all + to)]);
    return f32([1, tokens, to - from], rows.flat());
  };
  return [some(0, width), some(width, all)];
}
