import type { HalfType } from '../../../src-shared/domain/precision.ts';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { add, gather, gemm, input, parameter, sum } from '../../../src-main/engine/graph/build.ts';
import type { Graph } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { inHalves, toF32 } from '../../../src-main/engine/tensor/half.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { keptAs } from '../../../src-main/engine/runtime/weightsOnWebGpu.ts';
import type { LossOptions } from '../../../src-main/engine/training/loss/gradients.ts';
import { bytesOf } from '../../../src-main/engine/training/loss/waysThatFit.ts';
import {
  elementCount,
  f32,
  i64,
  type HostTensor,
  type Shape,
} from '../../../src-main/engine/tensor/tensor.ts';

// A process of its own, for a crash of the driver ends it. Computes in f32 with weights that are stored in f16, and a gradient of one that is
// fed, on WebGPU and on the CPU. Prints the largest difference of each, {"forward", "gradient"}, the bytes that the device takes for the latter
// by simulation, by the type of a file's weights, what it takes with a teacher beside it whose f32 weights are kept in f32 or f16, and what
// the device has in place of f16.

const random = (seed: number, shape: Shape): HostTensor =>
  f32(shape, new TorchGenerator(seed).randn([elementCount(shape)]));
const stored: Readonly<Record<string, HostTensor>> = {
  table: inHalves(random(0, [16, 8]), 'f16'),
  weight: inHalves(random(1, [8, 8]), 'f16'),
};
const feeds = { ids: i64([6], [3, 1, 4, 1, 5, 9]), adapter: random(2, [8, 8]) };

const [weight, adapter] = [parameter('weight', [8, 8]), parameter('adapter', [8, 8])];
const rows = gather(parameter('table', [16, 8]), input('ids', [6], 'i64'));
const whole = gemm(rows, weight, false, true);
const loss = sum(gemm(add(whole, gemm(rows, adapter)), weight));
const [gradient] = backward(loss, [adapter]) as [Value];

async function found(provider: 'webgpu' | 'cpu', graph: Graph): Promise<Float32Array> {
  const session = await Session.untried(provider, graph, false, { weights: (name) => stored[name] });
  const { out } = await session.runHost(feeds);
  await session.dispose();
  if (!out) throw new Error('no result');
  return toF32(out).data;
}

async function offBy(out: Value): Promise<number> {
  const graph = { outputs: { out } };
  const [here, expected] = [await found('webgpu', graph), await found('cpu', graph)];
  return Math.max(...expected.map((value, i) => Math.abs(value - (here[i] ?? NaN))));
}

const bytes = (type: 'f32' | HalfType, more?: Partial<LossOptions>): Promise<number> => {
  const weights = (name: string): HostTensor | undefined => {
    const half = stored[name];
    if (!half || type === 'f16') return half;
    return type === 'f32' ? toF32(half) : inHalves(toF32(half), type);
  };
  const options = { loss, trained: ['adapter'], weights, ...more };
  return bytesOf(options, { oneRow: false, frugal: false }, 'webgpu');
};
/** Layers enough that what one is cast to hardly counts: the next is cast into the same buffer. */
const layers = Array.from({ length: 8 }, (_, i) => parameter(`layer ${i}`, [8, 8]));
const beside = {
  graph: { outputs: { out: layers.reduce((x, layer) => gemm(x, layer), input('x', [6, 8])) } },
  weights: () => random(3, [8, 8]),
};
const difference = { forward: await offBy(whole), gradient: await offBy(gradient) };
const simulated = { f32: await bytes('f32'), f16: await bytes('f16'), bf16: await bytes('bf16') };
const taught = { f32: await bytes('f32', { beside }), f16: await bytes('f32', { beside, storedIn: 'f16' }) };
console.log(JSON.stringify({ difference, simulated, taught, halves: await keptAs('f16') }));
