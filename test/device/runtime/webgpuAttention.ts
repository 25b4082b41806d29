import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { attention, input, meanSquaredError } from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { f32, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { relativeError } from '../../golden/models/goldens.ts';

// A process of its own, for a crash of the driver ends it. Takes "queries,keys,size" words; prints the relative errors of WebGPU
// against CPU, the output's and then the gradients of queries, keys and values: {"64,77,40": [e, e, e, e]}.

const heads = 2;

function graph(queries: number, keys: number, size: number) {
  const [q, k, v] = (['q', 'k', 'v'] as const).map((name) =>
    input(name, [1, name === 'q' ? queries : keys, heads * size]),
  ) as [Value, Value, Value];
  const mixed = attention(q, k, v, { heads, scale: 1 / Math.sqrt(size), causal: false });
  const gradients = backward(meanSquaredError(mixed, input('wanted', q.shape)), [q, k, v]);
  return { mixed, dq: gradients[0] as Value, dk: gradients[1] as Value, dv: gradients[2] as Value };
}

async function run(provider: Provider, outputs: Record<string, Value>, feeds: Record<string, HostTensor>) {
  const session = await Session.untried(provider, { outputs });
  const results = await session.runHost(feeds);
  await session.dispose();
  return results;
}

const errors: Record<string, number[]> = {};
for (const words of process.argv.slice(2)) {
  const [queries, keys, size] = words.split(',').map(Number) as [number, number, number];
  const outputs = graph(queries, keys, size);
  const feeds = Object.fromEntries(
    (['q', 'k', 'v', 'wanted'] as const).map((name, seed) => {
      const long = name === 'q' || name === 'wanted';
      const tensor = f32([1, long ? queries : keys, heads * size]);
      tensor.data.forEach((_, i) => (tensor.data[i] = 2 * Math.sin(12.9898 * (i + 1) + 78.233 * seed)));
      return [name, tensor];
    }),
  );
  const [cpu, webgpu] = [await run('cpu', outputs, feeds), await run('webgpu', outputs, feeds)];
  errors[words] = Object.entries(cpu).map(([name, expected]) => relativeError(webgpu[name], expected));
}
console.log(JSON.stringify(errors));
