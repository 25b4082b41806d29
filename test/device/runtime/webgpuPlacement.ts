import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cheap, recompute } from '../../../src-main/engine/autodiff/recompute.ts';
import { leaves, type Graph } from '../../../src-main/engine/graph/graph.ts';
import { hostPart } from '../../../src-main/engine/graph/hostPart.ts';
import { onnxModel } from '../../../src-main/engine/onnx/model.ts';
import { sessionOptions } from '../../../src-main/engine/runtime/execution.ts';
import { InferenceSession } from '../../../src-main/engine/runtime/onnxRuntime.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import { WeightFiles } from '../../../src-main/engine/runtime/weightFiles.ts';
import { elementCount, f32, i64, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { stepGraph } from '../../../src-main/engine/training/loss/gradients.ts';
import { whatToTrain } from '../../../src-main/engine/training/loss/parameters.ts';
import { modelOfShape } from '../../../src-main/features/bench/randomModel.ts';

// A process of its own, for a crash of the driver ends it. Runs a step (word: lora or full) of a small model with its norms
// computed again, and prints how often each operation ran where: {"webgpu Conv": 61, …}.

const method = process.argv[2] === 'full' ? 'full' : 'lora';
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
const trained = whatToTrain(model, {
  ...{ method, trainTextEncoder: true, seed: 1 },
  lora: { rank: 4, alpha: 4, targets: ['to_q', 'to_v'] },
  textLora: { rank: 4, alpha: 4, targets: ['q_proj', 'v_proj'] },
});
const { loss } = diffusionLoss(model, {
  ...{ batch: 2, latents: [4, 16, 16], prediction: 'epsilon', priorWeight: 1 },
  ...(trained.adapters && { adapters: trained.adapters }),
});
const { outputs } = stepGraph({ loss, trained: trained.names });
const graph: Graph = hostPart({ outputs: recompute(outputs, loss, cheap) }).device;

const all = new Map([...leaves(graph, 'parameter'), ...leaves(graph, 'input')]);
const valueOf = (name: string): HostTensor => {
  const { shape = [], dtype = 'f32' } = all.get(name) ?? {};
  if (dtype === 'i64') return i64(shape, Array<number>(elementCount(shape)).fill(7));
  const tensor = f32(shape);
  tensor.data.forEach((_, i) => (tensor.data[i] = 0.05 * Math.sin(12.9 * (i + 1))));
  return tensor;
};
const isTrained = new Set(trained.names);
const bytes = onnxModel(graph, {
  ...{ target: 'webgpu', hideShapes: true },
  weights: (name) => (isTrained.has(name) ? undefined : valueOf(name)),
});
const folder = mkdtempSync(join(tmpdir(), 'likeness-profile-'));
const session = await InferenceSession.create(bytes, {
  ...sessionOptions('webgpu', {}, { files: new WeightFiles(), training: true }),
  ...{ enableProfiling: true, profileFilePrefix: join(folder, 'run') },
});
const feeds = session.inputNames.map((name) => [name, Tensor.from(valueOf(name)).ort] as const);
await session.run(Object.fromEntries(feeds));
session.endProfiling();

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly args: { readonly provider?: string; readonly op_name?: string };
}
const file = join(folder, readdirSync(folder)[0] ?? '');
const events = JSON.parse(readFileSync(file, 'utf8')) as ProfileEvent[];
const counts: Record<string, number> = {};
for (const { cat, name, args } of events) {
  if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
  const key = `${(args.provider ?? '').replace('ExecutionProvider', '').toLowerCase()} ${args.op_name}`;
  counts[key] = (counts[key] ?? 0) + 1;
}
rmSync(folder, { recursive: true });
console.log(JSON.stringify(counts));
