import { isWholePng } from '../../engine/pictures/png.ts';
import { cheaperPlan, fewSteps, type ClassPlan } from '../../../src-shared/domain/classPlan.ts';
import type { AskedFinetune, FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { classNounsOf } from '../../../src-shared/domain/runSubjects.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { unetCost } from '../../engine/models/unetCost.ts';
import { matmulSpeed } from '../../engine/runtime/matmulSpeed.ts';
import { providerFor } from '../../engine/runtime/session.ts';
import { isMadeForFewSteps } from '../../engine/schedulers/index.ts';
import { classPictureFiles } from '../../engine/training/data/classPictures.ts';
import { cacheFolder } from '../../places.ts';
import { plural } from '../../../src-shared/plural.ts';

/** Speed of a slow processor in GFLOP/s: if even that would be quick enough, the speed is not measured. */
const slow = 40;
/** Share of its speed in a large matrix product that a processor reaches in a U-Net. */
const efficiency = 0.75;

/**
 * How a new run makes its class pictures if nobody chose: in few steps with a model made for few, and cheaper on a CPU that would
 * take hours. Reports its decision before anything is made.
 */
export async function plannedPrior(
  settings: FinetuneSettings,
  asked: AskedFinetune['prior'],
  model: Model,
  { report }: Pick<JobContext, 'report'>,
): Promise<FinetuneSettings['prior']> {
  const { prior, size, provider } = settings;
  const said = typeof asked === 'object' && asked !== null ? asked : {};
  if (
    !prior ||
    settings.replay !== undefined ||
    said.classImages !== undefined ||
    said.classSteps !== undefined
  )
    return prior;
  if (isMadeForFewSteps(model.scheduler))
    return { ...prior, classSteps: Math.min(prior.classSteps, fewSteps) };
  const files = await classPictureFiles(model, settings, cacheFolder());
  if (files.every(isWholePng)) return prior;
  if ((await providerFor(provider)) !== 'cpu') return prior;

  const { macs } = unetCost(model.unet.config);
  const [height, width] = model.unet.config.sample_size;
  const factor = 2 ** (model.vae.config.block_out_channels.length - 1);
  const share = size ** 2 / (height * width * factor ** 2);
  // A call with the prompt and one without, two operations a multiply–accumulate; as many for each class.
  const gflop =
    (classNounsOf(settings).length * prior.classSteps * 2 * 2 * (macs.layers + macs.attention) * share) / 1e9;
  const secondsAt = (speed: number): number => gflop / (efficiency * speed);
  if (!cheaperPlan(prior, secondsAt(slow))) return prior;
  const seconds = secondsAt(await matmulSpeed());
  const plan = cheaperPlan(prior, seconds);
  if (!plan) return prior;
  report({ type: 'note', message: planText(prior, plan, seconds) });
  return { ...prior, ...plan };
}

/** A sentence about the plan, the usual way, and the time of both. */
function planText(usual: ClassPlan, plan: ClassPlan, seconds: number): string {
  const hours = ({ classImages, classSteps }: ClassPlan): string =>
    `${((classImages * seconds * (classSteps / usual.classSteps)) / 3600).toFixed(1)} h`;
  const what = ({ classImages, classSteps }: ClassPlan): string =>
    `${plural(classImages, 'class picture', 'class pictures')} in ${plural(classSteps, 'step', 'steps')} each`;
  return `On this CPU ${what(usual)} would take about ${hours(usual)}, so ${what(plan)} are made (about ${hours(plan)}); --class-images and --class-steps say otherwise.`;
}
