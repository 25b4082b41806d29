import { readFileSync } from 'node:fs';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import { Trainer } from '../../../src-main/engine/training/run/trainer.ts';
import { stepMemory } from '../../../src-main/engine/training/run/stepMemory.ts';
import { trainingWork } from '../../../src-main/features/bench/workloads.ts';
import { checkModel } from '../../../src-main/features/gpuCheck/models.ts';

// A process of its own, whose memory is a software device's. Words: the side of the latents, the precision, a cache folder. Takes LoRA
// steps on WebGPU and prints {"measured": bytes that they added, "simulated": {"held", "live", "cached"}}.

const [side, precision, cache] = process.argv.slice(2) as [string, Precision, string];
const kilobytes = (name: string, text: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
function ownBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * (kilobytes('RssAnon', status) + kilobytes('RssShmem', status));
}

const model = checkModel('sd1', true, cache);
const { options, feeds } = trainingWork(model, {
  ...{ batch: 2, latents: Number(side), provider: 'webgpu', part: 'lora' },
});
const before = ownBytes();
const trainer = await Trainer.create({ ...options, precision });
let after = 0;
for (let step = 0; step < 3; step++) {
  await trainer.step([feeds], { learningRate: 1e-6, maxGradientNorm: 1 });
  after = Math.max(after, ownBytes());
}
const simulated = stepMemory({ ...options, precision }, 'webgpu', 'f32');
console.log(JSON.stringify({ measured: after - before, simulated }));
process.exit(0);
