import fs from 'node:fs';
import { generationLimits } from '../../src-shared/domain/generationLimits.ts';
import { onlyFileIn } from '../features/download/hubCache.ts';
import type { LoraChoice } from '../features/generation/request.ts';
import { model, number, type Option } from './options.ts';

/** The path may hold colons itself: what follows the last one is a weight only when it is a number. */
export function loraChoice(): Option<LoraChoice> {
  const place = model(
    'PATH[:WEIGHT]',
    'a run of any method, a PEFT folder, a LoRA file of any tool, or a Hub id',
    {
      fallback: 'weight 1',
    },
  );
  const weight = number('WEIGHT', '', generationLimits.weight);
  const parts = (word: string): { readonly path: string; readonly weight?: string } => {
    const [, front, back] = /^(.+):([^:/\\]*)$/s.exec(word) ?? [];
    if (front === undefined || back === undefined || !/\d/.test(back) || fs.existsSync(word))
      return { path: word };
    return { path: front, weight: back };
  };
  return {
    ...place,
    hub: (word) => parts(word).path,
    read: ([word = ''], name) => {
      const said = parts(word);
      const path = onlyFileIn(place.read([said.path], name));
      return { path, weight: said.weight === undefined ? 1 : weight.read([said.weight], name) };
    },
  };
}
