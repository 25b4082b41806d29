import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { input, mul } from '../../../src-main/engine/graph/build.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { memoryOf } from '../../../src-main/engine/onnx/deviceMemory.ts';
import { Optimizer } from '../../../src-main/engine/optim/optimizer.ts';
import { adamW } from '../../../src-main/engine/optim/transforms.ts';
import { keepVerdictsIn, keepVerdict } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { deviceFingerprint } from '../../../src-main/engine/runtime/graphicsDevice.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { layoutOf } from '../../../src-main/engine/training/loss/gradients.ts';
import { DeviceSteps } from '../../../src-main/engine/training/run/deviceSteps.ts';
import { stepMemory } from '../../../src-main/engine/training/loss/stepMemory.ts';
import { randomModel } from '../../../src-main/features/bench/randomModel.ts';
import { forwardCall, trainingWork } from '../../../src-main/features/bench/workloads.ts';

// A process of its own, for a crash of the driver ends it. Words: the side of the latents, how many times as wide as usual the network is,
// the precision, and "frugal". Takes such steps of a small model on lavapipe, or with "call" calls its U-Net with weights stored in f16, and
// prints bytes: {"allocated": by the device for that, "simulated", "left": when all sessions are gone}, and "seconds" of the last.
// lavapipe lays what a device allocates out in one file of shared memory; where it keeps that elsewhere, "allocated" is null.

const [side = '16', width = '1', precision = 'f32', how = ''] = process.argv.slice(2) as [
  string?,
  string?,
  Precision?,
  string?,
];

/** Bytes of the driver's allocations that are mapped: each is, as long as it lives. */
function allocated(): number {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return lines.reduce((sum, line) => {
    const [, from = '', to = ''] = /^(\w+)-(\w+) .*\/memfd:allocation fd/.exec(line) ?? [];
    return from ? sum + parseInt(to, 16) - parseInt(from, 16) : sum;
  }, 0);
}

const folder = mkdtempSync(join(tmpdir(), 'likeness-memory-'));
// A trial would leave its own buffers; what is right here, others test.
keepVerdictsIn(folder);
const right = {
  provider: 'webgpu',
  state: 'right',
  seconds: 1,
  cpuSeconds: 1,
  error: 0,
  fusedAttention: false,
} as const;
keepVerdict('webgpu', right, await deviceFingerprint());
keepVerdict('webgpu f16', right, await deviceFingerprint());

const small = await Session.untried('webgpu', { outputs: { y: mul(input('x', [4]), 2) } });
await small.runHost({ x: f32([4]) });
const before = allocated();

const configs = {
  unet: {
    ...{
      cross_attention_dim: 64,
      attention_head_dim: 8,
      block_out_channels: [128 * Number(width), 256 * Number(width)],
      // Many weights of a few sizes, whose casts share buffers.
      layers_per_block: how === 'call' ? 4 : 1,
    },
    ...{ norm_num_groups: 8, down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'] },
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  },
  textEncoder: {
    ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 2 },
    vocab_size: 1000,
  },
};
const model = randomModel('memory', configs, folder, () => undefined);
const size = { batch: 2, latents: Number(side), provider: 'webgpu' } as const;

/** Something done twice, for the first time makes its sessions. */
interface Done {
  readonly simulated: number;
  readonly once: () => Promise<unknown>;
  readonly dispose: () => Promise<void>;
}

async function training(): Promise<Done> {
  const work = trainingWork(model, { ...size, part: 'lora' });
  const options = { ...work.options, precision, frugal: how === 'frugal' };
  const feeds = { ...work.feeds, ...(precision === 'f16' && { loss_scale: f32([], [1024]) }) };
  const { held, cached } = stepMemory(options, 'webgpu');
  const layout = layoutOf(options);
  const values = layout.allocate();
  for (const name of layout.names) layout.view(values, name).data.set(options.initial(name).data);
  const optimizer = { ...options.optimizer, optimizer: 'adamw' } as const;
  const steps = await DeviceSteps.create(options, layout, new Optimizer(values, adamW(optimizer)));
  return {
    simulated: held + cached,
    once: () => steps.step([feeds], { learningRate: 1e-6, maxGradientNorm: 1 }),
    dispose: () => steps.dispose(),
  };
}

function calling(): Done {
  const { unet: part } = model;
  const file = join(folder, 'halves.safetensors');
  const tensors = part.weights.names().flatMap((name) => {
    const tensor = part.weights.get(name);
    return tensor ? [{ name, tensor, dtype: 'f16' } as const] : [];
  });
  writeSafetensors(file, tensors);
  const weights = new Weights(file, readSafetensors(file).tensors);
  const work = forwardCall({ ...model, unet: { ...part, weights } }, { ...size, precision });
  const inputs = {
    sample: input('sample', [size.batch, part.config.in_channels, size.latents, size.latents]),
    timesteps: input('timesteps', [size.batch]),
    context: input('context', [size.batch, 77, model.textEncoder.config.hidden_size]),
  };
  const graph = { outputs: { output: unet(Scope.root('unet'), inputs, part.config).sample } };
  const { held, cached } = memoryOf(graph, 'webgpu', { stored: 'f16' });
  return { simulated: held + cached, once: () => work.run(), dispose: () => work.dispose() };
}

const { simulated, once, dispose } = await (how === 'call' ? calling() : training());
await once();
const started = performance.now();
await once();
const seconds = (performance.now() - started) / 1000;
const after = allocated();
await dispose();
await small.dispose();
const left = allocated();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ allocated: before ? after - before : null, simulated, left, seconds }));
