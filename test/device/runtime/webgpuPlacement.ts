import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cheap, recompute } from '../../../src-main/engine/autodiff/recompute.ts';
import type { HalfType, Precision } from '../../../src-shared/domain/precision.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { input } from '../../../src-main/engine/graph/build.ts';
import { leaves, type Graph } from '../../../src-main/engine/graph/graph.ts';
import { hostPart } from '../../../src-main/engine/graph/hostPart.ts';
import { inPrecision } from '../../../src-main/engine/graph/mixedPrecision.ts';
import { encodePrompt } from '../../../src-main/engine/models/textEncoders.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../../src-main/engine/models/vae.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { onnxModel, type ExternalTensor } from '../../../src-main/engine/onnx/model.ts';
import { sessionOptions } from '../../../src-main/engine/runtime/execution.ts';
import { castsBeforehand } from '../../../src-main/engine/runtime/weightsOnWebGpu.ts';
import { InferenceSession } from '../../../src-main/engine/runtime/onnxRuntime.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import { WeightFiles } from '../../../src-main/engine/runtime/weightFiles.ts';
import { inHalves } from '../../../src-main/engine/tensor/half.ts';
import { elementCount, f32, i64, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import {
  consistencyLora,
  consistencyObjective,
} from '../../../src-main/engine/training/loss/consistencyLoss.ts';
import { diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { distillObjective } from '../../../src-main/engine/training/loss/distillLoss.ts';
import { finetuneObjective } from '../../../src-main/engine/training/loss/finetuneObjective.ts';
import { stepGraph, type LossOptions } from '../../../src-main/engine/training/loss/gradients.ts';
import { whatToTrain } from '../../../src-main/engine/training/loss/parameters.ts';
import { modelOfShape } from '../../../src-main/features/bench/randomModel.ts';
import { distillSettings } from '../../../src-shared/domain/distillSettings.ts';
import { finetuneSettings, type TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';

// A process of its own, for a crash of the driver ends it. Takes words "lora,f32": runs a step (lora or full) of a small model with its
// norms computed again, or a step of another kind (`kinds`), or a call of a network (`networks`), in f32, f16, or f32 from weights of a file
// that are kept in f16 ("stored") or lie there so ("halves"), or in bf16. Prints how often each operation ran where: {"lora,f32": {"webgpu Conv": 61,
// …}}. One process for all: most kernels are those of others too, and a driver in software takes far longer to compile than to run
// them.

const opened = (name: string): Model => openModel(resolve('test/golden/fixtures/models', name));
const finetuned = (name: string, method: TrainingSettings['method']): LossOptions => {
  const model = opened(name);
  const asked = { photos: 'none', classNoun: 'dog', method };
  const settings = completeSettings(finetuneSettings, asked, { model: model.path, size: 64 });
  const trained = whatToTrain(model, { ...settings, startIds: [[7]] });
  return finetuneObjective(model, trained, { rows: 2, latents: [4, 8, 8], priorWeight: 1, minSnr: true });
};
const distilled = completeSettings(
  distillSettings,
  { data: 'none' },
  { teacher: '-', student: '-', size: 64 },
);
const sizes = { batch: 2, latents: [4, 8, 8] as const };
const kinds: Readonly<Record<string, () => LossOptions>> = {
  ...Object.fromEntries(
    (['dora', 'loha', 'lokr', 'embedding'] as const).map((method) => [
      method,
      () => finetuned('tiny-bk', method),
    ]),
  ),
  sdxl: () => finetuned('tiny-sdxl', 'lora'),
  distillation: () => distillObjective(opened('tiny-sd1'), opened('tiny-bk'), { ...distilled, ...sizes }),
  'few steps': () => {
    const model = opened('tiny-bk');
    return consistencyObjective(model, consistencyLora(model, distilled), { ...sizes, errors: 'huber' });
  },
};
const tiny = {
  unet: {
    ...{ cross_attention_dim: 64, attention_head_dim: 2, block_out_channels: [64, 128], layers_per_block: 1 },
    ...{ norm_num_groups: 8, down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'] },
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  },
  textEncoder: {
    ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 2 },
    vocab_size: 1000,
  },
};
const model = modelOfShape('tiny', tiny);
function step(method: 'lora' | 'full', precision: Precision): { graph: Graph; trained: readonly string[] } {
  const trained = whatToTrain(model, {
    ...{ method, trainTextEncoder: true, seed: 1 },
    lora: { rank: 4, alpha: 4, targets: ['to_q', 'to_v'] },
    textLora: { rank: 4, alpha: 4, targets: ['q_proj', 'v_proj'] },
  });
  const { loss } = diffusionLoss(model, {
    ...{ batch: 2, latents: [4, 16, 16], prediction: 'epsilon', priorWeight: 1 },
    ...(trained.adapters && { adapters: trained.adapters }),
  });
  const graph = stepGraph({ loss, trained: trained.names, ...(precision !== 'f32' && { precision }) });
  if (precision !== 'f32') return { graph, trained: trained.names };
  return { graph: { outputs: recompute(graph.outputs, loss, cheap) }, trained: trained.names };
}
const networks: Readonly<Record<string, () => Graph['outputs']>> = {
  forward: () => {
    const inputs = {
      sample: input('sample', [2, 4, 16, 16]),
      timesteps: input('timesteps', [2]),
      context: input('context', [2, 77, 64]),
    };
    return { predicted: unet(Scope.root('unet'), inputs, model.unet.config).sample };
  },
  'text encoder': () => {
    const ids = input('ids', [2, 77], 'i64');
    return { context: encodePrompt((part) => Scope.root(part), { ids }, model).context };
  },
  decoder: () => ({
    image: vaeDecode(Scope.root('vae'), input('latents', [1, 4, 16, 16]), opened('tiny-sd1').vae.config),
  }),
  encoder: () => ({
    ...vaeEncode(Scope.root('vae'), input('image', [1, 3, 64, 64]), opened('tiny-sd1').vae.config),
  }),
  teacher: () => {
    const teaching = distillObjective(opened('tiny-sd1'), opened('tiny-bk'), { ...distilled, ...sizes });
    return teaching.beside?.graph.outputs ?? {};
  },
};

/** What is run, and the names of what it trains, which are fed. */
function graphOf(what: string, precision: Precision): { graph: Graph; trained: readonly string[] } {
  const network = networks[what]?.();
  if (network) return { graph: inPrecision({ outputs: network }, precision), trained: [] };
  const kind = kinds[what]?.();
  return kind
    ? { graph: stepGraph({ ...kind, precision }), trained: kind.trained }
    : step(what === 'full' ? 'full' : 'lora', precision);
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args: { readonly provider?: string; readonly op_name?: string };
}

type How = Precision | 'stored' | 'halves' | 'bf16 file';

/** What computes, and, where weights come from a file, their type there and the one that they are kept in. */
const hows: Readonly<Record<How, { computes: Precision; file?: Precision; storedIn?: HalfType }>> = {
  f32: { computes: 'f32' },
  f16: { computes: 'f16' },
  bf16: { computes: 'bf16' },
  stored: { computes: 'f32', file: 'f32', storedIn: 'f16' },
  halves: { computes: 'f32', file: 'f16' },
  'bf16 file': { computes: 'f32', file: 'bf16' },
};

async function placement(what: string, how: How): Promise<Record<string, number>> {
  const { computes: precision, file: inFiles, storedIn } = hows[how];
  const { graph: whole, trained } = graphOf(what, precision);
  const graph = hostPart(whole).device;
  const all = new Map([...leaves(graph, 'parameter'), ...leaves(graph, 'input')]);
  const valueOf = (name: string): HostTensor => {
    const { shape = [], dtype = 'f32' } = all.get(name) ?? {};
    if (dtype === 'i64') return i64(shape, Array<number>(elementCount(shape)).fill(7));
    const tensor = f32(shape);
    tensor.data.forEach((_, i) => (tensor.data[i] = 0.05 * Math.sin(12.9 * (i + 1))));
    return tensor;
  };
  const isTrained = new Set(trained);
  const files = new WeightFiles();
  const folder = mkdtempSync(join(tmpdir(), 'likeness-profile-'));
  const inFile = (name: string): ExternalTensor => {
    const value = valueOf(name);
    const { shape, dtype, data } =
      inFiles && inFiles !== 'f32' && value.dtype === 'f32' ? inHalves(value, inFiles) : value;
    const file = join(folder, name);
    writeFileSync(file, data);
    return files.place({ file, offset: 0, byteLength: data.byteLength, dtype, shape });
  };
  const castsFirst = inFiles !== undefined && (await castsBeforehand(new Set([inFiles]), storedIn));
  const bytes = onnxModel(graph, {
    target: 'webgpu',
    castsFirst,
    weights: (name) => (isTrained.has(name) ? undefined : inFiles ? inFile(name) : valueOf(name)),
    ...(storedIn && { storedIn }),
  });
  const options = {
    files,
    training: !(what in networks),
    converts: castsFirst || storedIn !== undefined || precision !== 'f32',
  };
  const session = await InferenceSession.create(bytes, {
    ...sessionOptions('webgpu', {}, options),
    ...{ enableProfiling: true, profileFilePrefix: join(folder, 'run') },
  });
  const feeds = session.inputNames.map((name) => [name, Tensor.from(valueOf(name)).ort] as const);
  await session.run(Object.fromEntries(feeds));
  session.endProfiling();
  await session.release();

  const file = join(folder, readdirSync(folder).find((name) => name.startsWith('run')) ?? '');
  const events = JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[];
  const counts: Record<string, number> = {};
  for (const { cat, name, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const key = `${(args.provider ?? '').replace('ExecutionProvider', '').toLowerCase()} ${args.op_name}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  rmSync(folder, { recursive: true });
  return counts;
}

const found: Record<string, Record<string, number>> = {};
for (const word of process.argv.slice(2)) {
  const [what, precision] = word.split(',') as [string, How];
  found[word] = await placement(what, precision);
}
console.log(JSON.stringify(found));
