/**
 * Finetunes held-out subjects in several ways and measures what comes of it: what the settings in `train/likeness.json` are chosen by.
 *
 *   npx tsx models/recipe/sweep/sweep.ts --out DATA
 *     [--real FOLDER]            sets of real photos besides the rendered ones in DATA/subjects
 *     [--subjects A,B | all]     which to finetune on; all are in the gallery that pictures are compared with
 *     [--variants A,B]           names of variants.ts
 *     [--seeds 2] [--draw 12]    pictures a scene, denoising steps
 *     [--pick yes]               scores runs of several checkpoints too, and notes the pick
 *     [--model FOLDER]           the shipped one when left out
 *
 * What is in DATA/sweep/results.json already is not done again; sheets of the pictures stand beside it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { modelHash } from '../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { ownGuidance } from '../../../src-main/engine/checkpoints/ownGuidance.ts';
import { writeAtomically } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { LikenessScorer } from '../../../src-main/engine/evaluation/likenessScorer.ts';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { scoreDefaults } from '../../../src-main/features/score/request.ts';
import { score } from '../../../src-main/features/score/score.ts';
import { contactSheet } from '../contactSheet.ts';
import { side } from '../settings.ts';
import { numberOption, option, outFolder, repositoryFolder } from '../paths.ts';
import { Gallery } from './gallery.ts';
import { asTable, sheetName, type Result } from './results.ts';
import { photographedSubjects, renderedSubjects } from './subjects.ts';
import { tryOut } from './tryOut.ts';
import { variants } from './variants.ts';

/** Three renders and a set of photos, of shapes and colours that have little in common. */
const few = 'BlendSwap-CC-0-cupcake,BlendSwap-CC-0-teddyBear,Scopia-mocassin,dog';

const model = option('model', join(repositoryFolder, 'models', 'likeness-mini'));
const mobileNet = join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors');
const work = join(outFolder(), 'sweep');
const real = option('real', '');
const subjects = [
  ...renderedSubjects(join(outFolder(), 'subjects')),
  ...(real ? photographedSubjects(real) : []),
];
const asked = option('subjects', few).split(',');
const chosen = subjects.filter(({ name }) => asked.includes('all') || asked.includes(name));
const names = option('variants', Object.keys(variants).join()).split(',');
const [seeds, drawSteps] = [numberOption('seeds', 2), numberOption('draw', 12)];

const file = join(work, 'results.json');
const results = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result[]) : [];
const guidance = ownGuidance(model, 'subject');
const about = { model: modelHash(openModel(model)), ...guidance, seeds, drawSteps };

const features = await MobileNetFeatures.open(mobileNet);
const scorer = await LikenessScorer.open(model, 'cpu');
const gallery = await Gallery.open(subjects, features, side);
mkdirSync(work, { recursive: true });
for (const name of names) {
  const variant = variants[name];
  if (!variant) throw new Error(`There is no variant "${name}": ${Object.keys(variants).join(', ')}.`);
  for (const subject of chosen) {
    const key = { ...about, variant: name, subject: subject.name };
    if (
      results.some((known) => Object.entries(key).every(([k, value]) => known[k as keyof Result] === value))
    )
      continue;
    const run = join(work, 'run');
    rmSync(run, { recursive: true, force: true });
    const trial = { model, run, seeds, drawSteps, guidance, cache: work };
    const { outcomes, pictures } = await tryOut(trial, subject, variant, { gallery, scorer });
    const pick = option('pick', '') && outcomes.length > 1 ? { pick: await pickOf(run) } : {};
    results.push({ ...key, kind: subject.kind, ceiling: gallery.ceiling(subject.name), outcomes, ...pick });
    writeAtomically(file, () => [Buffer.from(`${JSON.stringify(results, null, 1)}\n`)]);
    const sheet = join(work, sheetName({ variant: name, subject: subject.name }));
    await contactSheet(
      pictures.map(({ data }) => data),
      side,
      pictures.length / outcomes.length,
      sheet,
    );
    console.log(`${name}, ${subject.name}: ${JSON.stringify(outcomes)} ${JSON.stringify(pick)} ${sheet}`);
  }
}
console.log(asTable(results));
await features.dispose();
await scorer.dispose();

/** The step that `score` picks. */
async function pickOf(run: string): Promise<number> {
  const request = { ...scoreDefaults, run, mobileNet, likenessScorer: model, provider: 'cpu' as const };
  const context = { report: () => undefined, signal: new AbortController().signal };
  return (await score(request, context)).pick;
}
