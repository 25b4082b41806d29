import { join } from 'node:path';
import { z } from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, readJson } from './files.ts';

/** diffusers' `guidance_scale`. */
const usual = 7.5;

const schema = z.object({ generate: z.object({ guidance: z.number().min(0).max(1000) }).optional() });

/** The guidance a model draws with unless told otherwise: what its `likeness.json` says (the shipped one's does), else 7.5. Errors: `config.invalid`. */
export function ownGuidance(model: string): number {
  const file = join(model, 'likeness.json');
  if (!isFile(file)) return usual;
  const { data, error } = schema.safeParse(readJson(file));
  if (error) throw problem('config.invalid', { file, why: z.prettifyError(error) });
  return data.generate?.guidance ?? usual;
}
