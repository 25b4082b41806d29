/**
 * How far the loss on one subject's photos falls in a few steps, by learning rate and method: tells which rates are too small, for
 * a tenth of what `sweep.ts` costs.
 *
 *   npx tsx models/recipe/sweep/rates.ts --photos FOLDER --class NOUN [--steps 60] [--model FOLDER] [--out DATA]
 */
import { type AskedFinetune, finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { finetune } from '../../../src-main/engine/training/run/finetune.ts';
import { side, tunedFinetune } from '../modelConfig.ts';
import { numberOption, option, outFolder, repositoryFolder } from '../paths.ts';

const steps = numberOption('steps', 60);
const model = option('model', join(repositoryFolder, 'models', 'likeness-mini'));
const own: AskedFinetune = { ...tunedFinetune, prior: false, batch: 4, steps };
const tried: AskedFinetune[] = [
  ...[1e-3, 4e-3, 1e-2].map((learningRate) => ({ learningRate })),
  ...[3e-4, 1e-3].map((learningRate) => ({
    ...{ learningRate, method: 'full' as const, trainTextEncoder: false },
  })),
];

for (const settings of tried) {
  const asked = { ...own, ...settings, classNoun: option('class', ''), photos: option('photos', '') };
  const out = join(outFolder(), 'sweep', 'rates');
  rmSync(out, { recursive: true, force: true });
  const losses: string[] = [];
  const begun = process.cpuUsage();
  await finetune(
    {
      settings: {
        ...completeSettings(finetuneSettings, asked, { model, size: side }),
        sampleEvery: null,
        provider: 'cpu',
      },
      ...{ out, version: 'sweep', cache: outFolder() },
    },
    {
      report: (event) => {
        if (event.type === 'measured') losses.push(event.loss.toFixed(4));
      },
      signal: new AbortController().signal,
    },
  );
  const { user, system } = process.cpuUsage(begun);
  const seconds = Math.round((user + system) / 1e6);
  console.log(`${JSON.stringify(settings)}: ${losses.join(' → ')} in ${seconds} processor seconds`);
}
