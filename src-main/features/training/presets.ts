import os from 'node:os';
import type { Preset } from '../../../src-shared/contract/training.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { TrainingSettings } from '../../../src-shared/domain/trainingSettings.ts';
import type { StoredModel } from '../../storage/models.ts';
import { ownSettings } from './ownSettings.ts';
import { completeSettings } from './request.ts';
import { forWindow } from './studioSettings.ts';

/** Steps of each preset, as a share of the model's own. */
const shares = { quick: 0.5, balanced: 1, thorough: 2 } as const;

/** The presets for a subject on a model. `earlier`: runs whose pace says how long these will take. */
export function presetsFor(subject: Subject, model: StoredModel, earlier: readonly Run[]): Preset[] {
  return (['quick', 'balanced', 'thorough'] as const).map((name) => {
    const own = completeSettings(
      { classNoun: subject.classNoun, token: subject.token },
      { size: Math.min(model.width, model.height), ...ownSettings(model.path), model: model.path },
    );
    const steps = Math.max(1, Math.round(own.steps * shares[name]));
    const quarter = Math.max(1, Math.ceil(steps / 4));
    const full = forWindow({ ...own, steps, checkpointEvery: quarter, sampleEvery: quarter });
    const { settings, reductions, memory, fits } = fitted(full, model, os.totalmem() * 0.85);
    const pace = earlier.find((run) => sameWork(run, settings, model));
    const seconds = pace?.secondsPerStep ? pace.secondsPerStep * settings.steps : null;
    return { name, settings, seconds, memory, fits, reductions };
  });
}

function sameWork(
  { modelId, settings, secondsPerStep }: Run,
  wanted: TrainingSettings,
  model: StoredModel,
): boolean {
  if (modelId !== model.id || secondsPerStep === null) return false;
  const same = ['method', 'batch', 'accumulate', 'size', 'trainTextEncoder'] as const;
  return (
    same.every((key) => settings[key] === wanted[key]) &&
    (settings.prior === null) === (wanted.prior === null)
  );
}

/** Gives up what costs memory, dearest first, until the run fits into `room` bytes. */
function fitted(
  wanted: TrainingSettings,
  model: StoredModel,
  room: number,
): Pick<Preset, 'settings' | 'reductions' | 'memory' | 'fits'> {
  const ladder: [why: string, needed: (s: TrainingSettings) => boolean, change: Partial<TrainingSettings>][] =
    [
      [
        'trains a LoRA, not the whole model',
        ({ method }) => method === 'full',
        { method: 'lora', learningRate: 1e-4 },
      ],
      ['one photo at a time', ({ batch }) => batch > 1, { batch: 1 }],
      ['no class pictures beside the photos', ({ prior }) => prior !== null, { prior: null }],
      [
        'leaves the text encoder as it is',
        ({ trainTextEncoder }) => trainTextEncoder,
        { trainTextEncoder: false },
      ],
    ];
  let settings = wanted;
  const reductions: string[] = [];
  for (const [why, needed, change] of ladder) {
    if (peakMemory(settings, model) <= room) break;
    if (!needed(settings)) continue;
    settings = { ...settings, ...change };
    reductions.push(why);
  }
  const memory = peakMemory(settings, model);
  return { settings, reductions, memory, fits: memory <= room };
}

/**
 * Bytes at the peak, from measurements of BK-SDM-Tiny's LoRA step (4.5 GB: 450 M parameters, 64² latents, two pictures) and of full
 * finetuning (weights, gradients and two moments, each 4 bytes).
 */
function peakMemory({ method, batch, size, prior }: TrainingSettings, { parameters }: StoredModel): number {
  const weights = parameters * 4 * (method === 'full' ? 4 : 1);
  const pictures = batch * (prior ? 2 : 1);
  const activations = 1.35e9 * pictures * (size / 512) ** 2 * Math.sqrt(parameters / 450e6);
  return Math.round(3e8 + weights + activations);
}
