import { command } from '../command.ts';
import { version } from '../../shipped.ts';
import { distillSettings, usualEma } from '../../../src-shared/domain/distillSettings.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { DistillRequest } from '../../features/distillation/request.ts';
import { file, flag, required, type Given } from '../options.ts';
import { settingOptions, settingsGiven } from '../settingOptions.ts';
import { refuseTogether } from '../shared.ts';
import { teamOf, teamOptions } from '../teamOptions.ts';
import { plural } from '../../../src-shared/plural.ts';

export const distillOptions = {
  out: required(file('RUN', 'the folder of the run')),
  resume: flag('resume RUN after an interruption'),
  ema: flag('checkpoints hold a moving average of the weights'),
  ...teamOptions,
};

export const distillSettingOptions = settingOptions(distillSettings);

export const distill = command({
  name: 'distill',
  summary: 'train a smaller model to match a larger one, or a LoRA to draw in few steps',
  usage: '--teacher DIR (--student DIR | --lcm) --data DIR --out RUN [OPTIONS]',
  examples: [
    'likeness distill --teacher stable-diffusion-v1-4 --student bk-small --data pictures --steps 2000 --out runs/small',
    'likeness distill --teacher stable-diffusion-v1-4 --lcm --data pictures --out runs/few-steps',
    'likeness distill --out runs/small --resume',
  ],
  options: distillOptions,
  further: distillSettingOptions,
  request: distillRequest,
  run: async (request, context) => {
    const { distill } = await import('../../features/distillation/distill.ts');
    const result = await distill(request, context, version);
    const text = `${request.out}: ${plural(result.steps, 'step', 'steps')}, loss ${result.loss.toFixed(4)}, weights in ${result.checkpoint}`;
    return { fields: { run: request.out, ...result }, text };
  },
});

/** The request for the distillation feature. Throws `usage.…` for options that do not go together. */
export function distillRequest(given: Given<typeof distillOptions>): DistillRequest {
  const { out, resume = false } = given;
  const settings = settingsGiven(distillSettings, given);
  const { teacher, student, data, replay, lcm = false } = settings;
  if (lcm) refuseTogether('--lcm', { '--student': student }, 'the LoRA is trained on the teacher itself');
  const needed = {
    '--teacher': teacher,
    ...(!lcm && { '--student': student }),
    '--data': data ?? replay,
  };
  const missing = Object.entries(needed).find(([, value]) => value === undefined);
  if (!resume && missing) throw problem('usage.missingOption', { option: missing[0], command: 'distill' });
  if (replay !== undefined)
    refuseTogether('--replay', { '--data': data }, 'recorded batches take the place of pictures');
  const ema = given.ema === true ? (settings.ema ?? usualEma) : given.ema === false ? null : settings.ema;
  return { out, resume, team: teamOf(given), settings: { ...settings, ema } };
}
