import { join } from 'node:path';
import { z } from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, readJson } from './files.ts';

/** How strongly a picture follows its prompt. */
export interface Guidance {
  /** diffusers' `guidance_scale`. */
  readonly guidance: number;
  /** Weight of what the base model makes of the prompt (`BaseConditions`); 0: plain classifier-free guidance. */
  readonly baseGuidance: number;
}

const usual = 7.5;

const number = z.number().min(0).max(1000);
const schema = z.object({
  generate: z
    .object({
      guidance: number,
      /** With a subject that it was taught. */
      subject: z.object({ guidance: number, baseGuidance: number }).optional(),
    })
    .optional(),
});

/**
 * The guidance a model draws with unless told otherwise, bare or with a subject that it was taught: what its `likeness.json` says
 * (the shipped one's does), else 7.5. Errors: `config.invalid`.
 */
export function ownGuidance(model: string, what: 'bare' | 'subject' = 'bare'): Guidance {
  const file = join(model, 'likeness.json');
  const { data, error } = schema.safeParse(isFile(file) ? readJson(file) : {});
  if (error) throw problem('config.invalid', { file, why: z.prettifyError(error) });
  const { guidance = usual, subject } = data.generate ?? {};
  return (what === 'subject' && subject) || { guidance, baseGuidance: 0 };
}

/** What was asked for, completed: a guidance alone is the plain one that everybody knows by that name. Errors: `config.invalid`. */
export function chosenGuidance(
  { guidance, baseGuidance }: { readonly [key in keyof Guidance]?: number | undefined },
  own: Guidance,
): Guidance {
  if (guidance !== undefined) return { guidance, baseGuidance: baseGuidance ?? 0 };
  return { ...own, ...(baseGuidance !== undefined && { baseGuidance }) };
}
