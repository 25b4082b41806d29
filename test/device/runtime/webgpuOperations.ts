import { input } from '../../../src-main/engine/graph/build.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { allCases } from '../../golden/gradients/opCases.ts';
import { goldenInputs } from '../../golden/gradients/opGoldens.ts';

// A process of its own, for a crash of the driver ends it: cases of operations on WebGPU, by the names given.
// Prints {"<op>/<case>": {"shape", "data"} | {"error"}}.

const results: Record<string, unknown> = {};
for (const [name, , build] of allCases.filter(([name]) => process.argv.includes(name))) {
  const tensors = goldenInputs(name);
  const feeds = Object.fromEntries(tensors.map((tensor, i) => [`in${i}`, tensor]));
  const out = build(...tensors.map(({ shape, dtype }, i) => input(`in${i}`, shape, dtype)));
  try {
    const session = await Session.untried('webgpu', { outputs: { out } });
    const { shape, data } = (await session.runHost(feeds))['out'] as HostTensor;
    results[name] = { shape, data: Array.from(data, Number) };
    await session.dispose();
  } catch (error) {
    results[name] = { error: String((error as Error).cause ?? error) };
  }
}
console.log(JSON.stringify(results));
