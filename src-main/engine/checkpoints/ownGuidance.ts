import { join } from 'node:path';
import * as z from 'zod';
import { guidanceOf, type Guidance } from '../../../src-shared/domain/guidance.ts';
import { faultOf } from '../../../src-shared/domain/settingValues.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { asRecord, isFile, readJson } from './files.ts';
import { writeJson } from './writeJson.ts';

/** diffusers' default. */
const plain = guidanceOf({ guidance: 7.5 });

const number = z.number().min(0).max(1000);
const share = z.number().min(0).max(1);
const schema = z.object({
  generate: z
    .object({
      guidance: number,
      guidanceStop: share.optional(),
      /** With a subject that it was taught. */
      subject: z.object({ guidance: number, baseGuidance: number, guidanceStop: share }).optional(),
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
  if (error) throw problem('config.invalid', { file, why: faultOf(error) });
  const { subject, ...bare } = data.generate ?? { ...plain, subject: undefined };
  return (what === 'subject' && subject) || guidanceOf(bare);
}

/** What was asked for, completed: a guidance by itself means plain classifier-free guidance. Errors: `config.invalid`. */
export function chosenGuidance(asked: Partial<Guidance>, own: Guidance): Guidance {
  const { guidance, baseGuidance, guidanceStop } = asked.guidance === undefined ? own : plain;
  return {
    guidance: asked.guidance ?? guidance,
    baseGuidance: asked.baseGuidance ?? baseGuidance,
    guidanceStop: asked.guidanceStop ?? guidanceStop,
  };
}

/** Has a model draw with this guidance from now on; the rest of its `likeness.json` stays. Errors: `file.unwritable`. */
export function writeOwnGuidance(model: string, guidance: number): void {
  const file = join(model, 'likeness.json');
  const known = isFile(file) ? asRecord(readJson(file)) : {};
  writeJson(file, { ...known, generate: { guidance } });
}
