/**
 * Draws the pictures that a used library (usedLibrary.ts) holds, with the shipped model: a run on the sample subject, its sample at each
 * checkpoint, what each draws in six places, and 25 pictures by one of them; and measures what its blocks are worth. Nobody picks. `npx tsx test/app/drawPictures.ts` → test/app/drawn. Again whenever the shipped
 * model changes; takeScreens.ts after it.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { shippedFiles } from '../../src-main/shipped.ts';
import {
  drawnFolder,
  drawnName,
  ideas,
  kinds,
  pickedStep,
  sampleName,
  scoredName,
  scoredPlaces,
  steps,
  worthOfBlocks,
} from './drawn.ts';

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
const checkpoint = (step: number): string => path.join(run, 'checkpoints', stepName(step));
const [every, last] = [steps[1], steps.at(-1)].map(String) as [string, string];
likeness(
  ...['finetune', '--photos', photos, '--class', classNoun, '--out', run, '--seed', '1'],
  ...['--steps', last, '--checkpoint-every', every, '--sample-every', every],
);
rmSync(drawnFolder, { recursive: true, force: true });
mkdirSync(drawnFolder, { recursive: true });
/** Draws the named prompts into the folder, by a checkpoint or by the base model. */
const draw = (prompts: ReadonlyMap<string, string>, step: number, seed: number): void => {
  const table = path.join(work, `${step}-${seed}.csv`);
  const out = path.join(work, `${step}-${seed}`);
  const rows = [...prompts].map(([name, prompt]) => `${name},${prompt}`);
  writeFileSync(table, `file_name,text\n${rows.join('\n')}\n`);
  const lora = step === 0 ? [] : ['--lora', checkpoint(step)];
  likeness('generate', '--prompts', table, ...lora, '--seed', String(seed), '--out', out);
  for (const name of prompts.keys()) copyFileSync(path.join(out, name), path.join(drawnFolder, name));
};
const named = Array.from({ length: kinds }, (_, kind): [string, string] => [
  drawnName(kind),
  `a photo of sks ${classNoun} ${ideas[kind % ideas.length] ?? ''}`,
]);
draw(new Map(named), pickedStep, 1000);
for (const step of steps) {
  const subject = step === 0 ? classNoun : `sks ${classNoun}`;
  const scored = scoredPlaces.map((place, i): [string, string] => [
    scoredName(step, i),
    `a ${subject} ${place}`,
  ]);
  draw(new Map(scored), step, 2000);
  copyFileSync(path.join(run, 'samples', `${stepName(step)}.png`), path.join(drawnFolder, sampleName(step)));
}
likeness('compress', '--model', shippedFiles().model, '--advise', '--out', path.join(work, 'advice'));
const { model: _, ...worth } = JSON.parse(
  readFileSync(path.join(work, 'advice', 'sensitivity.json'), 'utf8'),
) as { model: string };
writeFileSync(worthOfBlocks, `${JSON.stringify(worth, null, 2)}\n`);
rmSync(work, { recursive: true });
