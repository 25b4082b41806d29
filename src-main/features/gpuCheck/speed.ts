import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { temporaryFolder } from '../../engine/checkpoints/leftovers.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { memoryInUse } from '../../engine/runtime/memoryInUse.ts';
import { DeviceOptimizer } from '../../engine/optim/deviceOptimizer.ts';
import { packsOf } from '../../engine/optim/packs.ts';
import { adamW } from '../../engine/optim/transforms.ts';
import { DeviceGradients } from '../../engine/training/loss/deviceGradients.ts';
import { layoutOf, LocalGradients, type Feeds } from '../../engine/training/loss/gradients.ts';
import { stepMemory } from '../../engine/training/loss/stepMemory.ts';
import { StepsLost, Trainer, type TrainerOptions } from '../../engine/training/run/trainer.ts';
import { forwardCall, trainingWork } from '../bench/workloads.ts';
import { inPrecision, type Finding, type Tell } from './findings.ts';

export interface SpeedOptions {
  readonly provider: Exclude<Provider, 'cpu'>;
  readonly latents: number;
  readonly precision?: Precision;
  readonly tell: Tell;
}

const timedCalls = 3;
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Seconds of a U-Net call as guidance makes it, two latents at once. */
export async function timeForward(
  model: Model,
  { provider, latents, precision = 'f32', tell }: SpeedOptions,
): Promise<void> {
  const what = `U-Net call, batch 2, ${latents}²${inPrecision(precision)}`;
  if (tell.told?.has(what)) return;
  const work = forwardCall(model, { batch: 2, latents, provider, precision });
  try {
    tell({ what, found: await timesOf(work.run, work.gflop) });
  } finally {
    await work.dispose();
  }
}

/** Seconds of a training step, and its memory beside the simulated figure. */
export async function timeStep(
  model: Model,
  part: 'lora' | 'full',
  { provider, latents, precision = 'f32', tell }: SpeedOptions,
): Promise<void> {
  const what = `${part === 'lora' ? 'LoRA' : 'Full'} step, batch 2, ${latents}²${inPrecision(precision)}`;
  if (tell.told?.has(what)) return;
  const work = trainingWork(model, { batch: 2, latents, provider, part });
  const [options, feeds] = [{ ...work.options, precision }, work.feeds];
  const { held, live, cached } = stepMemory(options, provider === 'webgpu' ? 'webgpu' : 'device');
  const values = provider === 'webgpu' ? cached : live;
  const before = await memoryInUse();
  const trainer = await Trainer.create(options);
  const step = async (): Promise<void> => {
    const settings = { learningRate: 1e-6, maxGradientNorm: 1 };
    const { loss } = await trainer.step([feeds], settings).catch((error: unknown) => {
      if (!(error instanceof StepsLost)) throw error;
      tell({ what: `${what}: too little memory`, found: 'taken again with less' });
      return trainer.step([feeds], settings);
    });
    if (!Number.isFinite(loss)) throw new Error('the loss is not a number');
  };
  try {
    const times = await timesOf(step);
    const after = await memoryInUse();
    tell({ what, found: times });
    const took = before && after && after.bytes - before.bytes;
    const measured = took === undefined ? 'the system does not tell' : gigabytes(took);
    // A process takes memory for ONNX Runtime and compiled kernels too.
    const isDevices = took !== undefined && after?.of !== 'process';
    const ratio = isDevices ? `, ${((100 * took) / (held + values)).toFixed(0)}% of that` : '';
    tell({
      what: `${what}: memory${after?.of === 'process' ? ' (of the process)' : ''}`,
      found: `simulated ${gigabytes(held + values)} (${gigabytes(held)} held, ${gigabytes(live)} of values at a time); measured ${measured}${ratio}`,
    });
  } finally {
    await trainer.dispose();
  }
}

/** Where a LoRA step's time goes, by operation. */
export async function profileStep(model: Model, { provider, latents, tell }: SpeedOptions): Promise<void> {
  if (tell.told?.has(elsewhereTitle)) return;
  const { options, feeds } = trainingWork(model, { batch: 2, latents, provider, part: 'lora' });
  const folder = temporaryFolder('profile');
  const profiled = { ...options, profileTo: join(folder, 'step') };
  const source = await (provider === 'webgpu' ? onDevice(profiled, feeds) : onHost(profiled, feeds));
  try {
    for (let run = 0; run < profiledRuns; run++) await source.run();
    source.gradients.endProfile();
    const [name = ''] = readdirSync(folder);
    for (const finding of timesByOperation(readFileSync(join(folder, name), 'utf8'), profiledRuns))
      tell(finding);
  } finally {
    await source.gradients.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first run compiles kernels and is not counted. */
const profiledRuns = 2;

const elsewhereTitle = 'Off the device, and copies';

interface Profiled {
  readonly gradients: DeviceGradients | LocalGradients;
  readonly run: () => Promise<unknown>;
}

async function onHost(options: TrainerOptions, feeds: Feeds): Promise<Profiled> {
  const gradients = await LocalGradients.create(options);
  const [values, into] = [gradients.layout.allocate(), gradients.layout.allocate()];
  return { gradients, run: () => gradients.one(feeds, values, into) };
}

async function onDevice(options: TrainerOptions, feeds: Feeds): Promise<Profiled> {
  const layout = layoutOf(options);
  const packs = packsOf(layout);
  const gradients = await DeviceGradients.create(options, layout, packs);
  const device = new DeviceOptimizer(packs, adamW(options.optimizer));
  const [values, into] = [await device.buffers(), await device.buffers()];
  return { gradients, run: () => gradients.one(feeds, values, into) };
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly provider?: string };
}

/**
 * The operations that take most of a profile's last run, by the kernels' own times where a device reports them, and what ran
 * elsewhere.
 */
export function timesByOperation(profile: string, runs: number): Finding[] {
  const events = JSON.parse(profile) as ProfileEvent[];
  const kernels = events.filter(({ cat }) => cat === 'Api');
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const last = (of: readonly ProfileEvent[]): readonly ProfileEvent[] =>
    of.slice(Math.round((of.length * (runs - 1)) / runs));
  const totals = new Map<string, { time: number; count: number }>();
  for (const { name, dur, args } of last(kernels.length ? kernels : nodes)) {
    const operation = args.op_name ?? name.split('&')[1] ?? name;
    const { time, count } = totals.get(operation) ?? { time: 0, count: 0 };
    totals.set(operation, { time: time + dur, count: count + 1 });
  }
  const elsewhere = new Map<string, number>();
  for (const { args } of last(nodes)) {
    const operation = args.op_name ?? '';
    if (args.provider === 'CPUExecutionProvider' || operation.startsWith('Memcpy'))
      elsewhere.set(operation, (elsewhere.get(operation) ?? 0) + 1);
  }
  const whole = [...totals.values()].reduce((sum, { time }) => sum + time, 0);
  const most = [...totals].sort(([, a], [, b]) => b.time - a.time).slice(0, 10);
  const off = [...elsewhere].map(([name, count]) => `${count} ${name}`).join(', ');
  return [
    ...most.map(([what, { time, count }]) => ({
      what,
      found: `${((100 * time) / whole).toFixed(1)}% (${(time / 1e6).toFixed(3)} s, ${count} times)`,
    })),
    { what: elsewhereTitle, found: off || 'nothing' },
  ];
}

async function timesOf(run: () => Promise<unknown>, gflop?: number): Promise<string> {
  const times: number[] = [];
  for (let call = 0; call <= timedCalls; call++) {
    const started = performance.now();
    await run();
    times.push((performance.now() - started) / 1000);
  }
  const [first = NaN, ...others] = times;
  const best = Math.min(...others);
  const speed = gflop === undefined ? '' : `, ${Math.round(gflop / best)} GFLOP/s`;
  return `${best.toPrecision(3)} s at best${speed} (the first ${first.toPrecision(3)} s)`;
}
