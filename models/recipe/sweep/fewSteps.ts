/**
 * Draws prompts in 25 steps, and in few with a LoRA that `likeness distill --lcm` made, and puts scores beside each other.
 *
 *   npx tsx models/recipe/sweep/fewSteps.ts --lora RUN
 *     [--model FOLDER]           the shipped one when left out
 *     [--prompts FILE]           a table; data/unseenPrompts.csv when left out
 *     [--count N] [--few 4,8]    how many of the prompts, in how many steps
 *     [--sheet FILE.png]         rows of pictures: 25 steps, then each of the few
 *
 * The scorer is the model's own: the mean cosine of picture and prompt, and the share of pictures whose own prompt is the nearest of all.
 */
import { join } from 'node:path';
import { ownGuidance } from '../../../src-main/engine/checkpoints/ownGuidance.ts';
import { cosine } from '../../../src-main/engine/evaluation/features.ts';
import { LikenessScorer } from '../../../src-main/engine/evaluation/likenessScorer.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';
import { TextToImage, type SamplingOptions } from '../../../src-main/engine/pipelines/textToImage.ts';
import { readPromptTable } from '../../../src-main/engine/training/data/promptFiles.ts';
import { openForGeneration } from '../../../src-main/features/generation/openForGeneration.ts';
import { contactSheet } from '../contactSheet.ts';
import { numberOption, option, recipeFolder, repositoryFolder } from '../paths.ts';
import { side } from '../settings.ts';

const model = option('model', join(repositoryFolder, 'models', 'likeness-mini'));
const table = readPromptTable(option('prompts', join(recipeFolder, 'data', 'unseenPrompts.csv')));
const prompts = table.prompts.slice(0, numberOption('count', 60));
const few = option('few', '4,8').split(',').map(Number);
const [firstSeed, together] = [700, 4];

async function draw(
  loras: readonly string[],
  how: Pick<SamplingOptions, 'steps' | 'guidance' | 'scheduler'>,
): Promise<{ readonly pictures: Picture[]; readonly seconds: number }> {
  const asked = { model, loras: loras.map((path) => ({ path, weight: 1 })), provider: 'cpu' as const };
  const { textToImage } = await openForGeneration(asked, () => undefined);
  const requests = prompts.map((prompt, i) => ({ prompt, seed: firstSeed + i }));
  const size = TextToImage.defaultSize(textToImage.model);
  const pictures: Picture[] = [];
  const before = process.cpuUsage();
  for await (const { picture } of textToImage.generate(requests, { ...size, ...how, batch: together }))
    pictures.push(picture);
  await textToImage.dispose();
  const { user, system } = process.cpuUsage(before);
  return { pictures, seconds: (user + system) / 1e6 / pictures.length };
}

const scorer = await LikenessScorer.open(model, 'cpu');
const texts = await scorer.prompts(prompts);
const { guidance } = ownGuidance(model);
const ways = [
  { name: '25', loras: [], how: { steps: 25, guidance } },
  ...few.map((steps) => ({
    name: `${steps}, without the LoRA`,
    loras: [],
    how: { steps, guidance },
  })),
  ...few.map((steps) => ({
    name: `${steps}, LCM-LoRA`,
    loras: [option('lora', '')],
    how: { steps, guidance: 1, scheduler: 'lcm' as const },
  })),
];
const rows: (readonly Picture[])[] = [];
process.stdout.write(
  '| steps | picture and prompt | own prompt nearest | processor seconds a picture |\n| --- | --- | --- | --- |\n',
);
for (const { name, loras, how } of ways) {
  const { pictures, seconds } = await draw(loras, how);
  rows.push(pictures);
  const seen = await scorer.pictures(pictures);
  const near = seen.map((one) => texts.map((text) => cosine(one, text)));
  const own = near.reduce((sum, all, i) => sum + (all[i] ?? 0), 0) / near.length;
  const right = near.filter((all, i) => all.indexOf(Math.max(...all)) === i).length;
  process.stdout.write(
    `| ${name} | ${own.toFixed(3)} | ${right} of ${near.length} | ${seconds.toFixed(2)} |\n`,
  );
}
const sheet = option('sheet', '');
if (sheet) {
  const shown = rows.flatMap((row) => row.slice(0, 12).map(({ data }) => data));
  await contactSheet(shown, side, Math.min(12, prompts.length), sheet);
}
