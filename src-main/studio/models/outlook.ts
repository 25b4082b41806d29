import type * as z from 'zod';
import type { outlookSchema } from '../../../src-shared/contract/models.ts';
import type { Settings } from '../../../src-shared/domain/studioSettings.ts';
import type { CatalogueEntry } from '../../../src-shared/domain/catalogue.ts';
import { cheaperPlan, usualSteps } from '../../../src-shared/domain/classPlan.ts';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { unetCost } from '../../engine/models/unetCost.ts';
import type { Library } from '../../storage/library.ts';
import type { Measured } from '../../storage/measurements.ts';
import type { StoredModel } from '../../storage/models.ts';
import { estimatedMemory } from '../training/fit.ts';
import { readMeasurementKey } from '../training/measurementKey.ts';
import type { Room } from '../training/room.ts';

type Outlook = z.output<typeof outlookSchema>;

/** Multiply–accumulates of a U-Net that this machine does in a second. */
interface Pace {
  readonly training: number;
  readonly drawing: number;
  /** The model that it was measured with. */
  readonly model: string;
}

/** Calls of a U-Net for a picture: 25 steps, each with and without the prompt. */
const callsOfPicture = 50;
/** A training step costs three calls: the call itself, and two more for the gradient. */
const callsOfStep = 3;

/** What a model would need on this machine: estimated memory, and time in proportion to its U-Net's operations. */
export function outlook(
  { parameters, macs, side }: CatalogueEntry,
  pace: Pace | undefined,
  room: Room,
): Outlook {
  const settings = completeSettings(finetuneSettings, { classNoun: 'subject' }, { size: side, model: '-' });
  const memory = estimatedMemory(settings, { parameters }, room);
  const fits = memory <= room.bytes;
  if (!pace) return { memory, fits, trainSeconds: null, pictureSeconds: null, measuredWith: null };
  const pictureSeconds = (callsOfPicture * macs) / pace.drawing;
  const { steps, accumulate, batch, prior } = settings;
  const calls = callsOfStep * steps * accumulate * batch * (prior ? 2 : 1);
  // A CPU makes fewer class pictures where they would take hours.
  const plan = (room.device === null && prior && cheaperPlan(prior, pictureSeconds)) || prior;
  const classSeconds = plan ? plan.classImages * pictureSeconds * (plan.classSteps / usualSteps) : 0;
  const trainSeconds = (calls * macs) / pace.training + classSeconds;
  return { memory, fits, trainSeconds, pictureSeconds, measuredWith: pace.model };
}

/** The pace of the largest model that was measured here, or of large products where that is faster. */
export function paceOf({
  measurements,
  models,
  settings,
}: {
  readonly measurements: Pick<Library['measurements'], 'list'>;
  readonly models: { readonly list: () => readonly StoredModel[] };
  readonly settings: { readonly get: () => Pick<Settings, 'provider'> };
}): Pace | undefined {
  const { provider } = settings.get();
  const here = new Map(models.list().map((model) => [model.hash, model]));
  const known = measurements.list().flatMap((measured) => {
    const key = readMeasurementKey(measured.key);
    const model = key && here.get(key.hash);
    if (!model || !key.here || key.provider !== provider || measured.secondsPerPicture <= 0) return [];
    const macs = macsOf(model);
    return macs === undefined ? [] : [{ model, macs, pace: paceBy(measured, key, macs, model) }];
  });
  return known.sort((a, b) => b.macs - a.macs)[0]?.pace;
}

function paceBy(
  { secondsPerStep, secondsPerPicture, gflops = 0 }: Measured,
  { batch, prior, size }: { readonly batch: number; readonly prior: boolean; readonly size: number },
  macs: number,
  { name, width, height }: StoredModel,
): Pace {
  const share = (size * size) / (width * height);
  const step = callsOfStep * batch * (prior ? 2 : 1) * macs * share;
  // A small model spends its time between products; what this machine does with large ones was measured beside it.
  const large = (gflops * 1e9) / 2;
  return {
    training: Math.max(large, step / secondsPerStep),
    drawing: Math.max(large, (callsOfPicture * macs * share) / secondsPerPicture),
    model: name,
  };
}

const counted = new Map<string, number>();

/** Operations of one call of a model's U-Net; undefined if the model is away. */
function macsOf({ hash, path }: StoredModel): number | undefined {
  const known = counted.get(hash);
  if (known !== undefined) return known;
  const macs = orNothing(() => unetCost(openModel(path).unet.config).macs);
  if (!macs) return undefined;
  counted.set(hash, macs.layers + macs.attention);
  return macs.layers + macs.attention;
}
