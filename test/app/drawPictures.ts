/**
 * Draws the pictures that a used library (usedLibrary.ts) holds, with the shipped model: a run on the sample subject, its sample at each
 * checkpoint, and 25 pictures by one of them. Nobody picks. `npx tsx test/app/drawPictures.ts` → test/app/drawn. Again whenever the shipped
 * model changes; takeScreens.ts after it.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { shippedFiles } from '../../src-main/shipped.ts';
import { drawnFolder, drawnName, ideas, kinds, pickedStep, sampleSteps } from './drawn.ts';

const cli = path.join(import.meta.dirname, '..', '..', 'src-main', 'cli', 'main.ts');
const likeness = (...words: readonly string[]): void => {
  execFileSync('npx', ['tsx', cli, ...words], { stdio: 'inherit' });
};

const { photos } = shippedFiles().sample;
const { classNoun } = JSON.parse(readFileSync(path.join(photos, 'subject.json'), 'utf8')) as {
  classNoun: string;
};
const work = mkdtempSync(path.join(tmpdir(), 'likeness-drawn-'));
const run = path.join(work, 'run');
const stepName = (step: number): string => String(step).padStart(6, '0');
const [every, last] = [sampleSteps[0], sampleSteps.at(-1)].map(String) as [string, string];
likeness(
  ...['finetune', '--photos', photos, '--class', classNoun, '--out', run, '--seed', '1'],
  ...['--steps', last, '--checkpoint-every', every, '--sample-every', every],
);
const prompts = path.join(work, 'prompts.csv');
const rows = Array.from(
  { length: kinds },
  (_, kind) => `${drawnName(kind)},a photo of sks ${classNoun} ${ideas[kind % ideas.length] ?? ''}`,
);
writeFileSync(prompts, `file_name,text\n${rows.join('\n')}\n`);
rmSync(drawnFolder, { recursive: true, force: true });
mkdirSync(drawnFolder, { recursive: true });
likeness(
  ...['generate', '--prompts', prompts, '--lora', path.join(run, 'checkpoints', stepName(pickedStep))],
  ...['--seed', '1000', '--out', path.join(work, 'pictures')],
);
for (let kind = 0; kind < kinds; kind++)
  copyFileSync(path.join(work, 'pictures', drawnName(kind)), path.join(drawnFolder, drawnName(kind)));
for (const step of sampleSteps)
  copyFileSync(
    path.join(run, 'samples', `${stepName(step)}.png`),
    path.join(drawnFolder, `sample-${step}.png`),
  );
rmSync(work, { recursive: true });
