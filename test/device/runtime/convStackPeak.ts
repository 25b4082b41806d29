import { createHash } from 'node:crypto';
import { blocks, cheap, recompute } from '../../../src-main/engine/autodiff/recompute.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { convStack } from '../../pure/autodiff/convStack.ts';

// A process of its own: node --import tsx convStackPeak.ts none|cheap|blocks
// prints {"peakBytes","baseBytes","digest","loss"}: resident memory, and the SHA-256 of all gradients.

const policy = process.argv[2];
const { loss, ends, outputs } = convStack({ blocks: 10, channels: 64, size: 96, batch: 2 });
const graph = {
  outputs:
    policy === 'cheap'
      ? recompute(outputs, loss, cheap)
      : policy === 'blocks'
        ? recompute(outputs, loss, blocks(ends))
        : outputs,
};
const feeds = Object.fromEntries(
  [...leaves(graph, 'input'), ...leaves(graph, 'parameter')].map(([name, { shape }], seed) => {
    const tensor = f32(shape);
    const scale = shape.length === 4 && name !== 'x' && name !== 'target' ? 0.05 : 1;
    tensor.data.forEach((_, i) => (tensor.data[i] = scale * Math.sin(12.9898 * (i + 1) + 78.233 * seed)));
    return [name, tensor];
  }),
);
const session = await Session.compile(graph);
const baseBytes = process.resourceUsage().maxRSS * 1024;
const results = await session.runHost(feeds);
const digest = createHash('sha256');
for (const name of Object.keys(outputs)) digest.update(results[name]?.data as Float32Array);
console.log(
  JSON.stringify({
    peakBytes: process.resourceUsage().maxRSS * 1024,
    baseBytes,
    digest: digest.digest('hex'),
    loss: results['loss']?.data[0],
  }),
);
