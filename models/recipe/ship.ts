/**
 * Makes what training left in DATA the shipped model: the weights, the credits, the pictures that the product draws with them, unpicked,
 * and the model's card out of card.md.
 *
 *   npx tsx models/recipe/ship.ts --out DATA --python VENV/bin/python --figures FIGURES.json
 *
 * FIGURES.json gives a text for each {{name}} in card.md: what a viewer and the measurements found. models/likeness-mini/subjects.jpg is
 * sweep/drawSheet.ts's, and test/app/drawPictures.ts draws anew what the screens show.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { fillCard } from './fillCard.ts';
import { option, outFolder, recipeFolder, repositoryFolder } from './paths.ts';

const model = join(repositoryFolder, 'models', 'likeness-mini');
const samples = join(recipeFolder, 'data', 'samplePrompts.csv');
const unseen = join(recipeFolder, 'data', 'unseenPrompts.csv');
const figures = JSON.parse(readFileSync(option('figures', ''), 'utf8')) as Record<string, string>;
const card = fillCard(readFileSync(join(recipeFolder, 'card.md'), 'utf8'), figures);

const env = { ...process.env, LIKENESS_OUT: outFolder() };
const start = (program: string, ...words: readonly string[]): void => {
  execFileSync(program, words, { cwd: repositoryFolder, env, stdio: 'inherit' });
};
start(option('python', 'python3'), join(recipeFolder, 'train', 'export.py'), '--to', model);
for (const name of ['unseenPrompts.csv', 'unseenPrompts-answers.csv'])
  copyFileSync(join(outFolder(), name), join(recipeFolder, 'data', name));
start('npx', 'tsx', join(recipeFolder, 'data', 'makeCredits.ts'), '--out', outFolder());
await drawSheet(samples, 8, 'sheet.jpg');
await drawSheet(unseen, 10, 'unseen.jpg');
writeFileSync(join(model, 'README.md'), card);

/** The pictures of a table of prompts, in its order, as one picture. */
async function drawSheet(prompts: string, columns: number, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'likeness-ship-'));
  const cli = join(repositoryFolder, 'src-main', 'cli', 'main.ts');
  start('npx', 'tsx', cli, 'generate', '--prompts', prompts, '--seed', '7', '--out', folder);
  const files = readFileSync(prompts, 'utf8').trim().split('\n').slice(1);
  const cell = 130;
  const parts = files.map((line, i) => ({
    input: join(folder, line.split(',')[0] ?? ''),
    ...{ left: (i % columns) * cell, top: Math.floor(i / columns) * cell },
  }));
  const [width, height] = [columns * cell, Math.ceil(parts.length / columns) * cell];
  await sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(parts)
    .jpeg({ quality: 88 })
    .toFile(join(model, name));
  rmSync(folder, { recursive: true });
}
