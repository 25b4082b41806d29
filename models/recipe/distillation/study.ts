import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DistillSettings, distillSettings } from '../../../src-shared/domain/distillSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import {
  blocksOfKind,
  planRemoval,
  type StudentKind,
} from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { writeStudent } from '../../../src-main/engine/checkpoints/writeStudent.ts';
import { unetCost } from '../../../src-main/engine/models/unetCost.ts';
import { loadPicture } from '../../../src-main/engine/pipelines/pictures.ts';
import { distill } from '../../../src-main/engine/training/run/distill.ts';
import { contactSheet } from '../contactSheet.ts';
import { side } from '../modelConfig.ts';
import { numberOption, option, outFolder, repositoryFolder } from '../paths.ts';
import { grownTeacher, untrained } from './grow.ts';
import { draw, heldOutLoss, Judge, secondsPerPicture, type Scores } from './measure.ts';
import { weightsIn, writeWith } from './modelFolders.ts';
import { captionedFolder, promptsOf } from './pictures.ts';
import { trainAlone } from './trainAlone.ts';

// Does distillation make better small models than training does? A teacher with two pairs a stage, grown from the shipped model; its three
// students, each distilled, trained from the teacher's weights without a teacher, and trained from scratch: with the same compute.

const work = option('to', join(outFolder(), 'distillation'));
const base = option('model', join(repositoryFolder, 'models', 'likeness-mini'));
const fresh = option('fresh', join(outFolder(), 'fresh'));
const batch = numberOption('batch', 16);
/** Pictures that the loss is measured on. */
const unseen = numberOption('unseen', 256);
/** Steps of the teacher, and of each distillation: a round's, and the rounds. */
const teacherSteps = numberOption('teacher-steps', 300);
const roundSteps = numberOption('round', 100);
const rounds = numberOption('rounds', 3);
/** The feature loss begins over a thousand times as large as the others: at a weight of 1 it would be all there is. */
const lambdaFeature = numberOption('feature', 0.01);

const students: readonly { readonly name: string; readonly kind: StudentKind }[] = [
  { name: 'base', kind: 'bk-base' },
  { name: 'small', kind: 'bk-small' },
  { name: 'tiny', kind: 'bk-tiny' },
];
/** Where a student's weights come from, and what it learns from. Fresh weights bear a larger rate than copied ones. */
const ways = {
  distilled: { start: 'copied', rate: numberOption('rate', 3e-4) },
  scratch: { start: 'untrained', rate: 1.5e-3 },
  alone: { start: 'copied', rate: numberOption('rate', 3e-4) },
} as const;
type Way = keyof typeof ways;
const chosen = option('ways', Object.keys(ways).join()).split(',') as Way[];

interface Result {
  readonly parameters: number;
  readonly macs: number;
  /** By steps done. */
  readonly loss: Record<number, number>;
  readonly scores: Record<number, Scores>;
  seconds?: number;
}

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => controller.abort(new Error('stopped')));
const context = {
  signal: controller.signal,
  report: (event: { readonly type: string; readonly step?: number }) => {
    if (event.type === 'step' && (event.step ?? 0) % 10 === 0) console.log(JSON.stringify(event));
  },
};

mkdirSync(work, { recursive: true });
const at = (...parts: string[]): string => join(work, ...parts);
const cache = at('cache');
await captionedFolder(join(outFolder(), 'train'), numberOption('pictures', 4000), at('data'));
await captionedFolder(fresh, Infinity, at('unseen'));
const prompts = promptsOf(fresh, numberOption('prompts', 64));
const resultsFile = at('results.json');
const results = (existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : {}) as Record<
  string,
  Result
>;

let judge: Judge | undefined;

const teacher = await teacherFolder();
await measure('teacher', teacher, teacherSteps);
for (const { name, kind } of students) {
  const copied = at('students', name);
  if (!existsSync(copied)) {
    const whole = openModel(teacher);
    const { config } = whole.unet;
    mkdirSync(at('students'), { recursive: true });
    writeStudent(copied, studentOf(whole, planRemoval(config, blocksOfKind(kind, config, teacher))));
  }
  const blank = at('students', `${name}-untrained`);
  if (!existsSync(blank)) writeWith(teacher, untrained(openModel(copied), 1), blank);
  for (const way of chosen) await measure(`${name} ${way}`, ways[way].start === 'copied' ? copied : blank, 0);
}
for (let round = 1; round <= rounds; round++)
  for (const way of chosen) for (const { name } of students) await train(name, way, round * roundSteps);
await drawSheet();
if (option('time', 'no') === 'yes') await time();
printTable();

/** The teacher: grown, then trained as it will be judged. */
async function teacherFolder(): Promise<string> {
  const [start, done] = [at('teacher-start'), at('teacher')];
  if (existsSync(done)) return done;
  if (!existsSync(start)) writeWith(base, grownTeacher(openModel(base)), start);
  await measure('teacher', start, 0);
  const settings = {
    ...settingsOf(start, { steps: teacherSteps, learningRate: numberOption('teacher-rate', 1e-3) }),
    schedule: 'cosine',
  } as const;
  const { checkpoint } = await trainAlone(settings, { out: at('runs', 'teacher'), cache }, context);
  writeWith(start, { ...grownTeacher(openModel(base)), weights: weightsIn(checkpoint) }, done);
  return done;
}

/** `steps`: of the distillation; the others take as many more as its teacher's passes would have paid for. */
async function train(name: string, way: Way, steps: number): Promise<void> {
  const { start, rate } = ways[way];
  const student = at('students', start === 'copied' ? name : `${name}-untrained`);
  const [own, theirs] = [student, teacher].map((folder) => macsOf(folder)) as [number, number];
  // A step's three products of the student's forward pass, and one of the teacher's.
  const taken = way === 'distilled' ? steps : Math.round(steps * (1 + theirs / (3 * own)));
  const settings = settingsOf(student, { steps: taken, learningRate: rate });
  const run = at('runs', `${name}-${way}`);
  const finished = at('models', `${name}-${way}-${steps}`);
  if (!existsSync(finished)) {
    console.log(`${name} ${way}: to step ${taken}`);
    const { checkpoint } =
      way === 'distilled'
        ? await distill({ settings, out: run, version: 'study', cache }, context)
        : await trainAlone(settings, { out: run, cache }, context);
    const config = JSON.parse(openModel(student).unet.configText) as Record<string, unknown>;
    mkdirSync(at('models'), { recursive: true });
    writeWith(student, { config, weights: weightsIn(checkpoint) }, finished);
  }
  await measure(`${name} ${way}`, finished, steps);
}

function settingsOf(student: string, own: Pick<DistillSettings, 'steps' | 'learningRate'>): DistillSettings {
  return {
    ...completeSettings(distillSettings, { teacher: at('teacher'), student, size: side, ...own }),
    ...{
      data: at('data'),
      batch,
      lambdaFeature,
      schedule: 'constant_with_warmup',
      warmup: numberOption('warmup', 20),
      provider: 'cpu',
    },
    ...{ checkpointEvery: 50, sampleEvery: null },
  };
}

function macsOf(folder: string): number {
  const { layers, attention } = unetCost(openModel(folder).unet.config).macs;
  return layers + attention;
}

/** Measures what is not known yet of a model after so many steps. */
async function measure(name: string, folder: string, steps: number): Promise<void> {
  const result = (results[name] ??= {
    parameters: unetCost(openModel(folder).unet.config).parameters,
    macs: macsOf(folder),
    loss: {},
    scores: {},
  });
  if (result.loss[steps] === undefined) {
    const settings = { ...settingsOf(folder, { steps: 1, learningRate: 0 }), data: at('unseen') };
    const batches = Math.floor(unseen / batch);
    result.loss[steps] = await heldOutLoss(
      folder,
      settings,
      { batches, out: at('unseen-run'), cache },
      context,
    );
    save();
  }
  const isLast = steps === (name === 'teacher' ? teacherSteps : rounds * roundSteps);
  if (!isLast || result.scores[steps]) return;
  const pictures = at('pictures', `${name}-${steps}`);
  await draw(folder, prompts, pictures);
  judge ??= await Judge.open(at('unseen'), prompts, {
    mobileNet: join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors'),
    model: base,
  });
  result.scores[steps] = await judge.score(pictures);
  save();
}

function save(): void {
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
}

/** A row a model, a column a prompt: the first ones, unpicked. */
async function drawSheet(): Promise<void> {
  const columns = 10;
  const rows = [
    `teacher-${teacherSteps}`,
    ...students.flatMap(({ name }) => chosen.map((way) => `${name} ${way}-${rounds * roundSteps}`)),
  ];
  const made: Uint8Array[] = [];
  for (const row of rows)
    for (let i = 0; i < columns; i++)
      made.push((await loadPicture(at('pictures', row, `${String(i).padStart(3, '0')}.png`))).data);
  await contactSheet(made, side, columns, at('sheet.png'));
}

/** Only worth anything on a machine that does nothing else. */
async function time(): Promise<void> {
  for (const [name, folder] of [
    ['teacher', teacher] as const,
    ...students.map(({ name }) => [name, at('students', name)] as const),
  ]) {
    const seconds = await secondsPerPicture(folder);
    for (const [key, result] of Object.entries(results)) if (key.startsWith(name)) result.seconds = seconds;
  }
  save();
}

function printTable(): void {
  const last = (values: Record<number, Scores>): Scores | undefined => Object.values(values).at(-1);
  for (const [name, { parameters, macs, seconds, loss, scores }] of Object.entries(results)) {
    const of = last(scores);
    const losses = Object.entries(loss).map(([steps, value]) => `${steps}: ${value.toFixed(4)}`);
    const figures = [(parameters / 1e6).toFixed(2), (macs / 1e6).toFixed(0), seconds?.toFixed(2) ?? ''];
    const judged = [of?.frechet.toFixed(1), of?.kid.toFixed(3), of?.prompt.toFixed(3)];
    console.log(`| ${[name, ...figures, losses.join(', '), ...judged.map((x) => x ?? '')].join(' | ')} |`);
  }
}
