import { cheaperPlan, usualSteps } from '../../../src-shared/domain/classPlan.ts';
import type { TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Preset } from '../../../src-shared/contract/training.ts';
import type { Measured } from '../../storage/measurements.ts';
import type { StoredModel } from '../../storage/models.ts';
import type { Room } from './room.ts';
import { plural } from '../../../src-shared/plural.ts';

type Known = (settings: TrainingSettings) => Measured | null | undefined;
type Fit = Pick<Preset, 'settings' | 'reductions' | 'memory' | 'fits'>;

interface Rung {
  readonly why: (settings: TrainingSettings) => string;
  /** Share of the room above which it is taken; all of it when left out. */
  readonly above?: number;
  readonly change: (settings: TrainingSettings, room: Room) => Partial<TrainingSettings> | undefined;
}

/** What is given up when memory is short, the least important first. */
const ladder: readonly Rung[] = [
  {
    why: () => 'computes blocks twice, which takes about a third longer',
    // A graphics device does so by itself, and takes a batch's photos one at a time.
    change: ({ recompute }, { device }) => (device === null && !recompute ? { recompute: true } : undefined),
  },
  {
    // Little is lost, and a device also has the screen and other programs to serve.
    above: 0.5,
    why: () => 'computes in 16 bits',
    change: ({ precision }, { device }) =>
      device !== null && precision === 'f32' ? { precision: 'f16' } : undefined,
  },
  {
    why: () => 'trains a LoRA, not the whole model',
    change: ({ method }) => (method === 'full' ? { method: 'lora', learningRate: 1e-4 } : undefined),
  },
  {
    why: () => 'one photo at a time',
    change: ({ batch }, { device }) => (device === null && batch > 1 ? { batch: 1 } : undefined),
  },
  {
    why: () => 'no class pictures beside the photos',
    change: ({ prior }, { device }) => (device === null && prior ? { prior: null } : undefined),
  },
  {
    why: () => 'leaves the text encoder as it is',
    change: ({ trainTextEncoder }) => (trainTextEncoder ? { trainTextEncoder: false } : undefined),
  },
  { why: ({ size }) => `pictures of ${size} pixels`, change: ({ size }) => smaller(size, 3 / 4) },
  { why: ({ size }) => `pictures of ${size} pixels`, change: ({ size }) => smaller(size, 2 / 3) },
];

/** Goes down the ladder until the run fits into `room`, by what was measured (`known`), else by the estimate. */
export function fittingSettings(wanted: TrainingSettings, model: StoredModel, room: Room, known: Known): Fit {
  const judge = (settings: TrainingSettings): Pick<Fit, 'memory' | 'fits'> =>
    memoryOf(settings, model, room, known);
  let settings = wanted;
  const reductions: string[] = [];
  for (const { why, change, above = 1 } of ladder) {
    const { fits, memory } = judge(settings);
    if (fits && memory <= above * room.bytes) continue;
    const changes = change(settings, room);
    if (!changes) continue;
    settings = { ...settings, ...changes };
    reductions.push(why(settings));
  }
  return { settings, reductions, ...judge(settings) };
}

/** Class pictures that would take a CPU hours, by what one took in the dry run, are made fewer and quicker. */
export function quickerPrior(fit: Fit, { device }: Room, known: Known): Fit {
  const { prior } = fit.settings;
  const measured = known(fit.settings);
  if (device !== null || !prior || !measured) return fit;
  const plan = cheaperPlan(prior, (measured.secondsPerPicture * prior.classSteps) / usualSteps);
  if (!plan) return fit;
  const why = `${plural(plan.classImages, 'class picture', 'class pictures')} of ${plural(plan.classSteps, 'step', 'steps')}: ${prior.classImages} of ${prior.classSteps} would take hours`;
  return {
    ...fit,
    settings: { ...fit.settings, prior: { ...prior, ...plan } },
    reductions: [...fit.reductions, why],
  };
}

/** Bytes at the peak, measured or estimated, and whether they fit into `room`. */
export function memoryOf(
  settings: TrainingSettings,
  model: StoredModel,
  room: Room,
  known: Known,
): Pick<Fit, 'memory' | 'fits'> {
  const measured = known(settings);
  const memory = measured?.bytes ?? estimatedMemory(settings, model, room);
  return { memory, fits: measured !== null && memory <= room.bytes };
}

/** Sides that every U-Net of the family can halve three times. */
function smaller(size: number, share: number): { size: number } | undefined {
  const side = Math.floor((size * share) / 64) * 64;
  return side >= 256 ? { size: side } : undefined;
}

type Sizes = Pick<TrainingSettings, 'method' | 'batch' | 'size' | 'prior' | 'precision' | 'optimizer'> & {
  readonly recompute?: boolean;
};

/** Bytes that a runtime takes for itself. */
const ownBytes = 3e8;

/** What is left of a step's values where blocks are computed twice: 0.5 in the simulation of BK-SDM-Tiny's LoRA step, and what lies between them. */
const recomputedShare = 0.7;

/**
 * Bytes at the peak where a run computes. Of this machine's memory by measurements of BK-SDM-Tiny's LoRA step (3.6 GB: 450 M parameters,
 * 64² latents, two pictures) and of full finetuning (weights, gradients and two moments, each 4 bytes).
 */
export function estimatedMemory(
  settings: Sizes,
  { parameters }: Pick<StoredModel, 'parameters'>,
  { device }: Pick<Room, 'device'>,
): number {
  if (device !== null) return Math.round(ownBytes + deviceMemory(settings, parameters));
  const weights = parameters * 4 * (settings.method === 'full' ? 4 : 1);
  const kept = 0.75e9 * activations(settings, parameters);
  return Math.round(ownBytes + weights + (settings.recompute ? recomputedShare * kept : kept));
}

/**
 * What WebGPU takes by the simulation of a step (`stepMemory`) that goes as far down its own ladder as it can (`waysOf`): a photo at a
 * time and, in f32, blocks computed twice. A part of it is the same at any size. A test compares the two.
 */
export function deviceMemory(
  { method, precision, optimizer, size }: Omit<Sizes, 'batch' | 'prior'>,
  parameters: number,
): number {
  // A whole network's moments are elsewhere where the optimizer looks at a tensor as a whole.
  const arrays = optimizer === 'adamw' || optimizer === 'prodigy' ? 4 : 2;
  const weights = method === 'full' ? 4 * arrays : precision === 'f32' ? 4.03 : 2.03;
  const same = Math.min(1, Math.sqrt(parameters / 450e6));
  const pixels = (size / 512) ** 2 * Math.cbrt(parameters / 450e6);
  const kept = precision === 'f32' ? 0.93e9 * same + 1.17e9 * pixels : 0.5e9 * same + 0.97e9 * pixels;
  return parameters * weights + kept;
}

/** How many times as many values are kept as of one picture of 512² in a network of 450 M parameters. */
function activations({ batch, prior, size }: Sizes, parameters: number): number {
  return batch * (prior ? 2 : 1) * (size / 512) ** 2 * Math.sqrt(parameters / 450e6);
}
