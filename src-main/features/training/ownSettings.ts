import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import { readJson } from '../../engine/checkpoints/files.ts';
import type { PartialSettings } from './request.ts';

const schema = z.object({
  finetune: z
    .object({
      method: z.enum(['lora', 'full']),
      steps: z.int().min(1),
      learningRate: z.number().positive(),
      batch: z.int().min(1),
      schedule: z.enum(['constant', 'constant_with_warmup', 'linear', 'cosine']),
      warmup: z.int().min(0),
      flip: z.boolean(),
      backgroundWeight: z.number().min(0).max(1),
      trainTextEncoder: z.boolean(),
      /** Places that the model can tell photos' by. */
      scenes: z.array(z.string().min(1)),
      prior: z.union([
        z.literal(false),
        z.object({ weight: z.number().min(0), classImages: z.int().min(1) }),
      ]),
      lora: z.object({ rank: z.int().min(1), alpha: z.number().positive(), targets: z.array(z.string()) }),
      textLora: z.object({
        rank: z.int().min(1),
        alpha: z.number().positive(),
        targets: z.array(z.string()),
      }),
    })
    .partial(),
});

/** The finetune settings that a model brings along in its `likeness.json`; the shipped one does. Errors: `config.invalid`. */
export function ownSettings(model: string): PartialSettings {
  const { scenes, ...settings } = ownFinetune(model);
  return settings as PartialSettings;
}

/** The places that a model can tell photos' by, from the same file. */
export function ownScenes(model: string): readonly string[] {
  return ownFinetune(model).scenes ?? [];
}

function ownFinetune(model: string): NonNullable<z.infer<typeof schema>['finetune']> {
  const file = join(model, 'likeness.json');
  if (!existsSync(file)) return {};
  const parsed = schema.safeParse(readJson(file));
  if (!parsed.success) throw problem('config.invalid', { file, why: z.prettifyError(parsed.error) });
  return parsed.data.finetune;
}
