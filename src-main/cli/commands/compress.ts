import type { CompressResult } from '../../features/compression/compress.ts';
import { command } from '../command.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { studentKinds } from '../../engine/checkpoints/blockRemoval.ts';
import { compressDefaults, type CompressRequest } from '../../features/compression/request.ts';
import {
  choice,
  file,
  model,
  flag,
  integer,
  names,
  repeated,
  required,
  word,
  type Given,
} from '../options.ts';
import { defined, provider, refuseTogether } from '../shared.ts';
import { plural } from '../../../src-shared/plural.ts';

const options = {
  model: required(model('TEACHER', 'diffusers folder, single file or Hub id to start from')),
  out: required(file('DIR', 'the folder of the smaller model')),
  to: choice(studentKinds, 'which published student'),
  remove: names(
    'A,B',
    'which blocks go instead: down_blocks.N.M and up_blocks.N.M (a resnet and its attention), mid_block, down_blocks.N (the innermost stage)',
  ),
  advise: flag('measure how much the output changes without each block', compressDefaults.advise),
  prompt: repeated(word('TEXT', 'a prompt to measure with', { fallback: 'four everyday ones' })),
  levels: integer('N', 'noise levels of each prompt to measure at', {
    min: 1,
    max: 1000,
    fallback: compressDefaults.levels,
  }),
  seed: integer('N', 'of the noise to measure with', {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    fallback: compressDefaults.seed,
  }),
  provider: provider(compressDefaults.provider),
};

export const compress = command({
  name: 'compress',
  summary: "make a smaller model by taking blocks out of a model's U-Net",
  usage: '--model TEACHER (--to KIND|--remove A,B) --out DIR [--advise] [OPTIONS]',
  examples: [
    'likeness compress --model stable-diffusion-v1-4 --to bk-small --out bk-small',
    'likeness compress --model stable-diffusion-v1-4 --remove down_blocks.3.1,up_blocks.0.1,mid_block --out mine',
    'likeness compress --model stable-diffusion-v1-4 --advise --out advice',
  ],
  options,
  request: compressRequest,
  run: async (request, context) => {
    const { compress } = await import('../../features/compression/compress.ts');
    const result = await compress(request, context);
    return { fields: { ...result }, text: describe(result) };
  },
});

function compressRequest(given: Given<typeof options>): CompressRequest {
  const { to, remove, advise = false, prompt, levels, seed } = given;
  if (to) refuseTogether('--to', { '--remove': remove }, 'one of them says which blocks go');
  if (!to && !remove && !advise)
    throw problem('usage.missingOption', { option: '--to', command: 'compress' });
  if (!advise && (prompt ?? levels ?? seed) !== undefined)
    throw problem('usage.missingOption', { option: '--advise', command: 'compress' });
  const asked = {
    model: given.model,
    out: given.out,
    to,
    remove,
    advise,
    prompts: prompt,
    levels,
    seed,
    provider: given.provider,
  };
  return { ...compressDefaults, ...defined(asked), model: given.model, out: given.out };
}

function describe({ path, removed, before, after, advice }: CompressResult): string {
  const cost = ({ parameters, macs }: CompressResult['before']): string =>
    `${(parameters / 1e6).toFixed(1)} M parameters, ${(macs.layers / 1e9).toFixed(1)} GMACs a call (and ${(macs.attention / 1e9).toFixed(1)} in attention's own products)`;
  const percent = (change: number): string => `${Number((change * 100).toPrecision(2))}%`.padStart(8);
  const table = advice
    ? [
        `Change of the noise prediction without a block (${plural(advice.probes, 'probe', 'probes')}; picture in ${advice.picture}):`,
        ...[...advice.blocks, ...advice.students].map(
          ({ name, change, saves }) =>
            `  ${name.padEnd(16)}${percent(change)}   saves ${(saves.parameters / 1e6).toFixed(1)} M parameters, ${(saves.macs.layers / 1e9).toFixed(1)} GMACs`,
        ),
      ]
    : [];
  return [
    ...(after ? [`Written  ${path}, without ${removed.join(', ')}`] : []),
    `Before   ${cost(before)}`,
    ...(after ? [`After    ${cost(after)}`] : []),
    ...table,
  ].join('\n');
}
