import { problem } from '../../../src-shared/messages/index.ts';
import { studentKinds } from '../../engine/checkpoints/blockRemoval.ts';
import { compressDefaults, type CompressRequest } from '../../features/compression/request.ts';
import { choice, file, flag, integer, names, repeated, required, word, type Given } from '../options.ts';
import { defined, provider, refuseTogether } from '../shared.ts';

export const compressOptions = {
  model: required(file('TEACHER', 'diffusers folder or single file to start from')),
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

export function compressRequest(given: Given<typeof compressOptions>): CompressRequest {
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
