import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import {
  attention,
  concat,
  input,
  meanSquaredError,
  reshape,
  silu,
  transpose,
  upsample,
  add,
} from '../../../src-main/engine/graph/build.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { conv, groupNorm, layerNorm, linear } from '../../../src-main/engine/nn/layers.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import { f32, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { relativeError } from '../../golden/models/goldens.ts';

// A process of its own, for a crash of the driver ends it. Prints the relative errors of WebGPU against CPU:
// {"forward", "chained", "loss", "gradients": {name: error}}.

const channels = 8;

/** A U-Net of one level: convolutions, norms, self-attention with LoRA, down, up and a skip connection. */
function network(sample: Value): Value {
  const adapter = { name: 'default', rank: 2, scale: 2 };
  const scope = Scope.root('net', {
    adapters: new Map(['to_q', 'to_v', 'out'].map((name) => [`net.${name}`, [adapter]])),
  });
  const skip = conv(scope.at('in'), sample, channels, { kernel: 3, padding: 1 });
  const down = conv(scope.at('down'), silu(groupNorm(scope.at('norm'), skip, 2, 1e-5)), channels, {
    kernel: 3,
    stride: 2,
    padding: 1,
  });
  const [batch, , height, width] = down.shape as [number, number, number, number];
  const tokens = reshape(transpose(down, [0, 2, 3, 1]), [batch, height * width, channels]);
  const normal = layerNorm(scope.at('norm1'), tokens);
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((name) => linear(scope.at(name), normal, channels)) as [
    Value,
    Value,
    Value,
  ];
  const mixed = add(tokens, attention(q, k, v, { heads: 2, scale: 0.5, causal: false }));
  const up = upsample(transpose(reshape(mixed, [batch, height, width, channels]), [0, 3, 1, 2]), 2);
  return conv(scope.at('out'), concat([up, skip], 1), 4, { kernel: 3, padding: 1 });
}

const shape = [2, 4, 8, 8];
const sample = input('sample', shape);
const predicted = network(sample);
const loss = meanSquaredError(predicted, input('noise', shape));
const parameters = leaves({ outputs: { loss } }, 'parameter');
const values = new Map(
  [...parameters.keys(), 'sample', 'noise'].map((name, seed) => {
    const tensor = f32(parameters.get(name)?.shape ?? shape);
    tensor.data.forEach((_, i) => (tensor.data[i] = 0.4 * Math.sin(12.9898 * (i + 1) + 78.233 * seed)));
    return [name, tensor] as const;
  }),
);
const trained = new Map([...parameters].filter(([name]) => name.includes('.lora_')));
const stored = (name: string): HostTensor | undefined => (trained.has(name) ? undefined : values.get(name));
const feed = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, Tensor.from(values.get(name) as HostTensor)]));

/** Copies a device tensor to host memory by an identity graph: ONNX Runtime's own getter aborts the process. */
async function readBack(tensor: Tensor): Promise<HostTensor> {
  if (!tensor.onDevice) return tensor.host;
  const session = await Session.untried('webgpu', {
    outputs: { value: input('x', tensor.shape, tensor.dtype) },
  });
  const { value } = await session.run({ x: tensor });
  await session.dispose();
  return (value as Tensor).host;
}

/** The network once from host memory, then twice more on its own output, left on the device. */
async function forward(provider: Provider): Promise<{ first: HostTensor; third: HostTensor }> {
  const session = await Session.untried(provider, { outputs: { predicted } }, false, {
    ...{ weights: (name: string) => values.get(name), keepOnDevice: true },
  });
  const predict = async (given: Tensor): Promise<Tensor> => {
    const { predicted: result } = await session.run({ sample: given });
    if (!result || result.onDevice !== (provider !== 'cpu'))
      throw new Error('the result lies in the wrong memory');
    return result;
  };
  const one = await predict(feed(['sample'])['sample'] as Tensor);
  const two = await predict(one);
  const three = await predict(two);
  const found = { first: await readBack(one), third: await readBack(three) };
  for (const tensor of [one, two, three]) tensor.dispose();
  await session.dispose();
  return found;
}

/** Loss and gradients of LoRA's matrices, the gradients written into memory that is given. */
async function step(provider: Provider): Promise<Record<string, HostTensor>> {
  const gradients = backward(loss, [...trained.values()]);
  const outputs = Object.fromEntries(
    [...trained.keys()].map((name, i) => [`gradient.${name}`, gradients[i] as Value]),
  );
  const session = await Session.untried(provider, { outputs: { loss, ...outputs } }, false, {
    weights: stored,
  });
  const into = Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, Tensor.from(f32(value.shape))]),
  );
  const results = await session.run(feed(session.inputs), into);
  await session.dispose();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.host]));
}

const [onCpu, onDevice] = [await forward('cpu'), await forward('webgpu')];
const [cpu, webgpu] = [await step('cpu'), await step('webgpu')];
const { loss: lossError, ...gradients } = Object.fromEntries(
  Object.entries(cpu).map(([name, expected]) => [name, relativeError(webgpu[name], expected)]),
);
console.log(
  JSON.stringify({
    forward: relativeError(onDevice.first, onCpu.first),
    chained: relativeError(onDevice.third, onCpu.third),
    loss: lossError,
    gradients,
  }),
);
