import type { SubjectRequest } from '../../features/evaluation/request.ts';
import { command } from '../command.ts';
import { file, model, required } from '../options.ts';
import { provider } from '../shared.ts';
import { scorerFiles } from '../../shipped.ts';

export const evaluateSubject = command({
  name: 'evaluate subject',
  summary: 'measure how like the subject and their prompts pictures are: CLIP-I, DINO, CLIP-T, MobileNetV2',
  usage: '--photos DIR --images DIR [--prompts FILE] [--clip DIR] [--dino DIR] [OPTIONS]',
  examples: [
    'likeness evaluate subject --photos photos/dog --images pictures --prompts prompts.txt --clip clip-vit-base-patch32 --dino dino-vits16',
  ],
  options: {
    photos: required(file('DIR', "the subject's photos")),
    images: required(file('DIR', 'the pictures to measure')),
    prompts: file(
      'FILE',
      'what the pictures should show: line i belongs to picture i, in natural order of names; or a .csv with file_name and text',
    ),
    clip: model(
      'DIR',
      'transformers folder or Hub id of a CLIP model with its tokenizer, such as openai/clip-vit-base-patch32',
    ),
    dino: model(
      'DIR',
      'transformers folder or Hub id of a DINO or DINOv2 model, such as facebook/dino-vits16',
    ),
    provider: provider('auto'),
  },
  request: ({ provider = 'auto', ...given }): SubjectRequest => ({
    ...{ ...given, provider, mobileNet: scorerFiles.mobileNet },
  }),
  run: async (request, context) => {
    const { evaluateSubject } = await import('../../features/evaluation/subject.ts');
    const scores = await evaluateSubject(request, context);
    const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
    const rows = [
      ['CLIP-I', scores.clipI, 'how like the subject, by CLIP'],
      ['DINO', scores.dino, 'how like the subject, by DINO'],
      ['CLIP-T', scores.clipT, 'how like the prompts'],
      ['MobileNetV2', scores.mobileNet, 'how like the subject, by the network that comes with Likeness'],
    ] as const;
    const text = rows.map(([name, value, what]) => `${name.padEnd(12)}${shown(value).padEnd(9)}${what}`);
    return { fields: { ...scores }, text: text.join('\n') };
  },
});
