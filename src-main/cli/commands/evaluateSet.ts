import type { SetRequest } from '../../features/evaluation/request.ts';
import { command } from '../command.ts';
import { choice, file, model, required } from '../options.ts';
import { defined, provider } from '../shared.ts';
import { scorerFiles } from '../../shipped.ts';

export const evaluateSet = command({
  name: 'evaluate set',
  summary: 'measure a set of pictures against another: FID, KID, Inception Score, CLIP score',
  usage: '--images DIR --reference DIR|FILE.npz [--inception FILE] [--clip DIR --prompts FILE] [OPTIONS]',
  examples: [
    'likeness evaluate set --images pictures --reference coco-val --inception pt_inception-2015-12-05-6726825d.pth',
    'likeness evaluate set --images coco-val --inception pt_inception-2015-12-05-6726825d.pth --save-stats coco.npz',
  ],
  options: {
    images: required(
      file('PATH', 'the pictures to measure, or a file (.npz, .npy, .safetensors) with features and logits'),
    ),
    reference: file(
      'PATH',
      'the pictures to compare with, or a file with features, or with mu and sigma (.npz)',
    ),
    prompts: file(
      'FILE',
      'what the pictures should show: line i belongs to picture i, in natural order of names; or a .csv with file_name and text',
    ),
    inception: file('FILE', "pytorch-fid's weights of Inception, .pth or .safetensors"),
    resize: choice(
      ['clean', 'legacy'] as const,
      "clean-fid's bicubic with antialias or pytorch-fid's plain bilinear, to 299 pixels",
      {
        fallback: 'clean',
      },
    ),
    clip: model('DIR', 'transformers folder or Hub id of a CLIP model with its tokenizer'),
    saveStats: file('FILE.npz', 'write mu and sigma of the images there'),
    provider: provider('auto'),
  },
  request: ({ images, resize = 'clean', provider = 'auto', ...given }): SetRequest => ({
    images,
    resize,
    provider,
    mobileNet: scorerFiles.mobileNet,
    ...defined(given),
  }),
  run: async (request, context) => {
    const { evaluateSet } = await import('../../features/evaluation/set.ts');
    const scores = await evaluateSet(request, context);
    const { setTable } = await import('../../features/evaluation/table.ts');
    const text = setTable(scores).rows.map(({ name, values }) => {
      const [value, spread] = values.map((one, i) => one?.toPrecision(i === 0 ? 6 : 2));
      return `${name.padEnd(32)}${value ?? '–'}${spread === undefined ? '' : ` ± ${spread}`}`;
    });
    return { fields: { ...scores }, text: text.join('\n') || 'Nothing could be measured.' };
  },
});
