import path from 'node:path';
import { scoreDefaults } from '../../features/score/request.ts';
import { command } from '../command.ts';
import { scorerFiles, shippedModel, version } from '../../shipped.ts';
import {
  finetuneSettings,
  type AskedFinetune,
  type OtherSubject,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { kohyaFolder } from '../../engine/training/data/kohyaFolder.ts';
import type { FinetuneRequest } from '../../features/training/request.ts';
import { badValue, choice, file, flag, repeated, required, type Given, type Option } from '../options.ts';
import { settingOptions, settingsGiven } from '../settingOptions.ts';
import { refuseTogether } from '../shared.ts';
import { teamOf, teamOptions } from '../teamOptions.ts';
import { plural } from '../../../src-shared/plural.ts';

export const finetuneOptions = {
  subject: repeated(subjectChoice()),
  out: required(file('RUN', 'the folder of the run')),
  resume: flag('resume RUN after an interruption'),
  until: choice(['best'], 'score every checkpoint, and stop when two in a row did not beat the best'),
  scenes: flag('do not name places in the prompts of photos', true),
  ...teamOptions,
};

export const finetuneSettingOptions = settingOptions(finetuneSettings);

export const finetune = command({
  name: 'finetune',
  summary: 'teach a model a subject from photos',
  usage: '--photos DIR --class NOUN --out RUN [OPTIONS]',
  examples: [
    'likeness finetune --photos photos/dog --class dog --out runs/dog',
    'likeness finetune --photos photos/dog --class dog --out runs/dog --resume',
    'likeness finetune --photos photos/dog --class dog --out runs/dog --until best',
    'likeness finetune --photos photos/mug --class mug --model sd-1.5 --method full --steps 400 --out runs/mug',
    'likeness finetune --subject photos/dog:dog:sks --subject photos/cat:cat:ohwx --out runs/both',
  ],
  options: finetuneOptions,
  further: finetuneSettingOptions,
  request: (given) => ({ ...finetuneRequest(given), until: given.until }),
  run: async ({ until, ...request }, context) => {
    const { finetune } = await import('../../features/training/finetune.ts');
    const run = request.out;
    const ended = ({ steps, loss, checkpoint }: Awaited<ReturnType<typeof finetune>>): string =>
      `${run}: ${plural(steps, 'step', 'steps')}, loss ${loss.toFixed(4)}, weights in ${checkpoint}`;
    if (until === undefined) {
      const result = await finetune(request, context, version);
      return { fields: { run, ...result }, text: ended(result) };
    }
    const { trainUntilBest } = await import('../../features/score/trainUntilBest.ts');
    const { provider = scoreDefaults.provider } = request.settings;
    const scoring = { ...scoreDefaults, ...scorerFiles, run, provider };
    const { scores: _, ...result } = await trainUntilBest(request, scoring, context, version);
    const text = result.endedEarly
      ? `${run}: ended early, two checkpoints in a row were no better`
      : ended(result);
    return { fields: { run, ...result }, text: `${text}\n${result.why}` };
  },
});

/** The request for the training feature. Throws `usage.…` for options that do not go together. */
export function finetuneRequest(given: Given<typeof finetuneOptions>): FinetuneRequest {
  const { resume = false, out } = given;
  const said = settingsGiven(finetuneSettings, given);
  const settings = namedByFolder(withSubjects(said, given.subject ?? []));
  const { photos, replay, classNoun } = settings;
  if (replay !== undefined)
    refuseTogether(
      '--replay',
      { '--photos': said.photos, '--subject': given.subject },
      'recorded batches take the place of photos',
    );
  if (settings.classPhotos !== undefined && settings.prior === false)
    throw problem('usage.conflict', {
      option: '--no-prior',
      other: '--class-photos',
      why: 'pictures of the class are for prior preservation',
    });
  if (given.until !== undefined)
    refuseTogether(`--until ${given.until}`, { '--replay': replay }, 'scoring compares with photos');
  const [missing] = [
    ...(photos === undefined ? ['--photos'] : []),
    ...(classNoun === undefined ? ['--class'] : []),
  ];
  if (!resume && replay === undefined && missing !== undefined)
    throw problem('usage.missingOption', { option: missing, command: 'finetune' });
  return {
    out,
    resume,
    team: teamOf(given),
    fallbackModel: shippedModel,
    settings: { ...settings, ...(given.scenes === false && { photoScenes: {} }) },
  };
}

/** `photos/dog:dog:sks`; the folder may have colons of its own. */
function subjectChoice(): Option<OtherSubject> {
  const folder = file(
    'DIR:CLASS:TOKEN',
    'a subject: its photos, class noun and token; repeat for each further one',
    {
      fallback: 'one subject, by --photos, --class and --token',
    },
  );
  return {
    ...folder,
    read: ([value = ''], name) => {
      const [, photos = '', noun = '', word = ''] = /^(.+):([^:]+):([^:]+)$/.exec(value) ?? [];
      const [classNoun, token] = [noun.trim(), word.trim()];
      if (!classNoun || !token || /[/\\]/.test(noun + word))
        throw badValue(name, value, 'DIR:CLASS:TOKEN, for example photos/cat:cat:ohwx');
      return { photos: folder.read([photos], name), classNoun, token };
    },
  };
}

/** The first subject is that of `--photos`, where it is given. */
function withSubjects(settings: AskedFinetune, given: readonly OtherSubject[]): AskedFinetune {
  if (given.length === 0) return settings;
  if (settings.photos !== undefined) return { ...settings, otherSubjects: given };
  const words = { '--class': settings.classNoun, '--token': settings.token };
  refuseTogether('--subject', words, 'without --photos, each subject has its own');
  const [first, ...others] = given;
  return { ...settings, ...first, ...(others.length > 0 && { otherSubjects: others }) };
}

/** Adds the token and the class from a photo folder named as kohya's trainer expects, where no class is given. */
function namedByFolder(settings: AskedFinetune): AskedFinetune {
  const named = settings.photos === undefined ? undefined : kohyaFolder(path.basename(settings.photos));
  if (!named || settings.classNoun !== undefined) return settings;
  return { ...settings, classNoun: named.noun, token: settings.token ?? named.token };
}
