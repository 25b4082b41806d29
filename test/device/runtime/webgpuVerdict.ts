import './keptTrials.ts';
import { examine, Session } from '../../../src-main/engine/runtime/session.ts';
import { tryProvider } from '../../../src-main/engine/runtime/trial.ts';

// A process of its own, for a crash of the driver ends it. Prints the verdict on WebGPU, and what it would be with the fused
// attention everywhere: {"device", "fused"}.

const device = await examine('webgpu');
const fused =
  process.argv[2] === 'fused' &&
  (await tryProvider('webgpu', (provider, graph, { weights }) =>
    Session.untried(provider, graph, provider === 'webgpu', { weights }),
  ));
console.log(JSON.stringify({ device, fused }));
