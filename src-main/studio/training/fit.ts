import type { TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Preset } from '../../../src-shared/contract/training.ts';
import type { Measured } from '../../storage/measurements.ts';
import type { StoredModel } from '../../storage/models.ts';

type Known = (settings: TrainingSettings) => Measured | null | undefined;
type Fit = Pick<Preset, 'settings' | 'reductions' | 'memory' | 'fits'>;

interface Rung {
  readonly why: (settings: TrainingSettings) => string;
  readonly change: (settings: TrainingSettings) => Partial<TrainingSettings> | undefined;
}

/** What is given up when memory is short, the least important first. */
const ladder: readonly Rung[] = [
  {
    why: () => 'trains a LoRA, not the whole model',
    change: ({ method }) => (method === 'full' ? { method: 'lora', learningRate: 1e-4 } : undefined),
  },
  { why: () => 'one photo at a time', change: ({ batch }) => (batch > 1 ? { batch: 1 } : undefined) },
  {
    why: () => 'no class pictures beside the photos',
    change: ({ prior }) => (prior ? { prior: null } : undefined),
  },
  {
    why: () => 'leaves the text encoder as it is',
    change: ({ trainTextEncoder }) => (trainTextEncoder ? { trainTextEncoder: false } : undefined),
  },
  { why: ({ size }) => `pictures of ${size} pixels`, change: ({ size }) => smaller(size, 3 / 4) },
  { why: ({ size }) => `pictures of ${size} pixels`, change: ({ size }) => smaller(size, 2 / 3) },
];

/** Goes down the ladder until the run fits into `room` bytes, by what was measured (`known`), else by the estimate. */
export function fittingSettings(
  wanted: TrainingSettings,
  model: StoredModel,
  room: number,
  known: Known,
): Fit {
  const judge = (settings: TrainingSettings): Pick<Fit, 'memory' | 'fits'> =>
    memoryOf(settings, model, room, known);
  let settings = wanted;
  const reductions: string[] = [];
  for (const { why, change } of ladder) {
    if (judge(settings).fits) break;
    const changes = change(settings);
    if (!changes) continue;
    settings = { ...settings, ...changes };
    reductions.push(why(settings));
  }
  return { settings, reductions, ...judge(settings) };
}

/** Bytes at the peak, measured or estimated, and whether they fit into `room`. */
export function memoryOf(
  settings: TrainingSettings,
  model: StoredModel,
  room: number,
  known: Known,
): Pick<Fit, 'memory' | 'fits'> {
  const measured = known(settings);
  const memory = measured?.bytes ?? estimatedMemory(settings, model);
  return { memory, fits: measured !== null && memory <= room };
}

/** Sides that every U-Net of the family can halve three times. */
function smaller(size: number, share: number): { size: number } | undefined {
  const side = Math.floor((size * share) / 64) * 64;
  return side >= 256 ? { size: side } : undefined;
}

/**
 * Bytes at the peak, from measurements of BK-SDM-Tiny's LoRA step (3.6 GB: 450 M parameters, 64² latents, two pictures) and of full
 * finetuning (weights, gradients and two moments, each 4 bytes).
 */
export function estimatedMemory(
  { method, batch, size, prior }: Pick<TrainingSettings, 'method' | 'batch' | 'size' | 'prior'>,
  { parameters }: Pick<StoredModel, 'parameters'>,
): number {
  const weights = parameters * 4 * (method === 'full' ? 4 : 1);
  const pictures = batch * (prior ? 2 : 1);
  const activations = 0.75e9 * pictures * (size / 512) ** 2 * Math.sqrt(parameters / 450e6);
  return Math.round(3e8 + weights + activations);
}
