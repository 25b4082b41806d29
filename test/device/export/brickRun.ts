import { mkdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { finetune } from '../../../src-main/features/training/finetune.ts';
import type { FinetuneRequest } from '../../../src-main/features/training/request.ts';

/** A short LoRA run in `folder`, on the smallest fixture and one red photo; `settings` take the place of its own. Returns its folder. */
export async function brickRun(folder: string, settings: FinetuneRequest['settings'] = {}): Promise<string> {
  const [photos, out] = [path.join(folder, 'photos'), path.join(folder, 'run')];
  mkdirSync(photos);
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).toFile(
    path.join(photos, 'red.png'),
  );
  const usual = {
    ...({ photos, classNoun: 'brick', steps: 1, size: 32, provider: 'cpu', prior: false } as const),
    ...{ model: path.resolve('test/golden/fixtures/models/tiny-bk'), checkpointEvery: 1 },
    ...{ lora: { rank: 2 }, textLora: { rank: 2 } },
  };
  const context = { report: () => undefined, signal: new AbortController().signal };
  await finetune({ out, resume: false, settings: { ...usual, ...settings } }, context, 'test');
  return out;
}
