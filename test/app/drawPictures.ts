/**
 * Draws the pictures that a used library (usedLibrary.ts) holds, with the shipped model: a run on the sample subject, its sample at
 * each checkpoint, its scores with some of the pictures that were scored, which of its photos hurt, an export, and 25 pictures by one checkpoint; and measures
 * what the model's blocks are worth. Nobody picks. `npx tsx test/app/drawPictures.ts` → test/app/drawn. Again whenever the shipped
 * model changes; takeScreens.ts after it.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { receiptPlace } from '../../src-shared/domain/receipt.ts';
import type { RunScore } from '../../src-shared/domain/runScore.ts';
import { reportOf } from '../../src-main/studio/scoreHandlers.ts';
import { influenceFile } from '../../src-main/features/influence/request.ts';
import { LikenessMeter } from '../../src-main/features/generation/likenessMeter.ts';
import { shippedFiles } from '../../src-main/shipped.ts';
import {
  drawnFolder,
  drawnName,
  exportName,
  kinds,
  pickedStep,
  sampleName,
  measuredExport,
  measuredInfluence,
  measuredLikeness,
  measuredScores,
  receiptOf,
  runLog,
  scoredName,
  scoredPrompts,
  scenes,
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
  `a photo of sks ${classNoun} ${scenes[kind % scenes.length] ?? ''}`.trim(),
]);
for (const step of steps)
  copyFileSync(path.join(run, 'samples', `${stepName(step)}.png`), path.join(drawnFolder, sampleName(step)));
copyFileSync(path.join(run, 'log.jsonl'), runLog);
measureScores();
likeness('influence', '--run', run);
copyFileSync(path.join(run, influenceFile), measuredInfluence);
measureExport();
draw(new Map(named), pickedStep(), 1000);
await measureLikeness();
likeness('compress', '--model', shippedFiles().model, '--advise', '--out', path.join(work, 'advice'));
const { model: _, ...worth } = JSON.parse(
  readFileSync(path.join(work, 'advice', 'sensitivity.json'), 'utf8'),
) as { model: string };
writeFileSync(worthOfBlocks, `${JSON.stringify(worth, null, 2)}\n`);
rmSync(work, { recursive: true });

/** The run's scores in the studio's words, and some of the pictures that were scored. */
function measureScores(): void {
  likeness('score', '--run', run);
  const report = reportOf(
    JSON.parse(readFileSync(path.join(run, 'scores', 'scores.json'), 'utf8')) as RunScore,
  );
  const prompts = scoredPrompts.map((prompt) => report.prompts[prompt]);
  writeFileSync(measuredScores, `${JSON.stringify({ ...report, prompts }, null, 2)}\n`);
  const folder = path.join(run, 'scores', 'pictures');
  for (const step of steps) {
    const start = step === 0 ? 'base-' : `${stepName(step)}-`;
    const place = readdirSync(folder).find((name) => name.startsWith(start)) ?? start;
    for (const [i, prompt] of scoredPrompts.entries())
      copyFileSync(
        path.join(folder, place, `${String(prompt).padStart(4, '0')}.png`),
        path.join(drawnFolder, scoredName(step, i)),
      );
  }
}

/** How much each of the pictures looks like the subject. */
async function measureLikeness(): Promise<void> {
  const meter = await LikenessMeter.open({ photos, mobileNet: shippedFiles().scorers.mobileNet });
  const values: number[] = [];
  for (const [name] of named) values.push(await meter.of(path.join(drawnFolder, name)));
  await meter.dispose();
  writeFileSync(measuredLikeness, `${JSON.stringify(values)}\n`);
}

/** A LoRA file for other tools; only its figures and its receipt are kept. */
function measureExport(): void {
  const out = path.join(work, exportName);
  const words = ['export', '--run', run, '--checkpoint', String(pickedStep()), '--format', 'kohya'];
  const said = execFileSync('npx', ['tsx', cli, ...words, '--out', out, '--json'], { encoding: 'utf8' });
  const results = said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { tensors, maxError } = results.at(-1) ?? {};
  const figures = { tensors, maxError, bytes: statSync(out).size };
  writeFileSync(measuredExport, `${JSON.stringify(figures, null, 2)}\n`);
  for (const kind of ['json', 'png'] as const) copyFileSync(receiptPlace(out, kind), receiptOf(kind));
}
