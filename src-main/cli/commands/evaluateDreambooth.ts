import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { generationLimits } from '../../../src-shared/domain/generationLimits.ts';
import type { DreamboothRequest } from '../../features/dreambooth/request.ts';
import { scorerFiles, shippedModel, version } from '../../shipped.ts';
import { command } from '../command.ts';
import { file, integer, required, type Given } from '../options.ts';
import { settingOptions, settingsGiven } from '../settingOptions.ts';
import { defined } from '../shared.ts';

const options = {
  subjects: required(file('DIR', 'a folder with a folder of photos for each subject')),
  out: required(file('DIR', 'where runs, pictures and the table go; the same command again continues there')),
  count: integer('N', 'pictures per prompt', { min: 1, max: 1000, fallback: '4' }),
  drawSteps: integer('N', 'denoising steps of a picture', { ...generationLimits.steps, fallback: '25' }),
  clip: file('DIR', "transformers folder of a CLIP model (openai/clip-vit-base-patch32's, say)"),
  dino: file('DIR', "transformers folder of a DINO model (facebook/dino-vits16's, say)"),
};

const {
  photos: _photos,
  classNoun: _class,
  classPhotos: _ofClass,
  replay: _replay,
  ...shared
} = finetuneSettings;

export const evaluateDreambooth = command({
  name: 'evaluate dreambooth',
  summary:
    "DreamBooth's protocol: finetune every subject, draw its 25 prompts, and measure: DINO, CLIP-I, CLIP-T",
  usage: '--subjects DIR --out DIR [--clip DIR] [--dino DIR] [OPTIONS]',
  examples: [
    'likeness evaluate dreambooth --subjects dreambooth/dataset --out protocol --clip clip-vit-base-patch32 --dino dino-vits16',
    'likeness evaluate dreambooth --subjects subjects --out protocol --count 1 --steps 400',
  ],
  options,
  further: settingOptions(shared),
  request: dreamboothRequest,
  run: async (request, context) => {
    const { dreamboothProtocol } = await import('../../features/dreambooth/protocol.ts');
    const { readText } = await import('../../engine/checkpoints/files.ts');
    const { figures: _figures, ...result } = await dreamboothProtocol(request, context, version);
    return { fields: result, text: `${readText(result.table)}${result.table}` };
  },
});

function dreamboothRequest(given: Given<typeof options>): DreamboothRequest {
  const { subjects, out, clip, dino, count = 4, drawSteps = 25 } = given;
  const settings = settingsGiven(shared, given);
  return {
    ...{ subjects, out, count, drawSteps, settings, fallbackModel: shippedModel },
    ...{ mobileNet: scorerFiles.mobileNet, provider: settings.provider ?? 'auto' },
    ...defined({ clip, dino }),
  };
}
