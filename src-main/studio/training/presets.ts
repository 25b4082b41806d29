import {
  finetuneSettings,
  trainingSettings,
  trainingSettingsOf,
  withoutIdlePrior,
  type TrainingChanges,
  type TrainingSettings,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { Preset } from '../../../src-shared/contract/training.ts';
import type { Run } from '../../../src-shared/domain/run.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { Library } from '../../storage/library.ts';
import type { Measured } from '../../storage/measurements.ts';
import type { StoredModel } from '../../storage/models.ts';
import { secondsOf } from './expectedSeconds.ts';
import { fittingSettings, memoryOf, quickerPrior } from './fit.ts';
import { measurementKey } from './measurementKey.ts';
import type { Room } from './room.ts';
import { ownSettings } from '../../features/training/ownSettings.ts';

/** Steps of each preset, as a share of the model's own. */
const shares = { quick: 1 / 3, balanced: 1, thorough: 2 } as const;

interface Asked {
  readonly changes?: TrainingChanges | undefined;
  /** Other subjects of the same run. */
  readonly others?: readonly Subject[];
  /** The person brings pictures of the class, so none are drawn. */
  readonly ownClass?: boolean | undefined;
}

/**
 * The presets for a subject (with `others` in the same run) and a model, with the person's `changes`, in `room`. Earlier measurements and runs on this machine tell how long
 * they take and whether they fit.
 */
export function presetsFor(
  subject: Subject,
  model: StoredModel,
  { runs, measurements, settings }: Pick<Library, 'runs' | 'measurements' | 'settings'>,
  room: Room,
  { changes = {}, others = [], ownClass = false }: Asked = {},
): Preset[] {
  const { provider } = settings.get();
  const known = (settings: TrainingSettings): Measured | null | undefined =>
    measurements.get(measurementKey(model, provider, settings));
  const earlier = runs.list();
  const otherSubjects = others.map(({ classNoun, token }) => ({ classNoun, token }));
  return (['quick', 'balanced', 'thorough'] as const).map((name) => {
    const own = completeSettings(
      finetuneSettings,
      {
        ...{ classNoun: subject.classNoun, token: subject.token },
        ...(otherSubjects.length > 0 && { otherSubjects }),
      },
      {
        ...{ size: Math.min(model.width, model.height), model: model.path },
        ...ownSettings(model.path, changes.method),
      },
    );
    // Each subject is shown as often as it would be alone.
    const steps = Math.max(1, Math.round(own.steps * shares[name])) * (1 + others.length);
    const quarter = Math.max(1, Math.ceil(steps / 4));
    const full = trainingSettingsOf({ ...own, steps, checkpointEvery: quarter, sampleEvery: quarter });
    const fitting = fittingSettings(full, model, room, known);
    const fit = ownClass ? fitting : quickerPrior(fitting, room, known);
    // A person's choices are not reduced: the run fits or it doesn't.
    const chosen = withoutIdlePrior(completeSettings(trainingSettings, changes, fit.settings));
    const measured = known(chosen);
    const pace = earlier.find((run) => sameWork(run, chosen, model))?.secondsPerStep;
    return {
      ...{ name, room },
      ...{ settings: fit.settings, reductions: fit.reductions, steps: chosen.steps },
      ...memoryOf(chosen, model, room, known),
      measured: Boolean(measured),
      seconds: measured ? secondsOf(chosen, measured, ownClass) : pace ? pace * chosen.steps : null,
    };
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
