/**
 * A second opinion on the scenes of the sweep's pictures, by a classifier that has nothing to do with the model: logistic regression on
 * MobileNetV2's features of rendered pictures, sharp ones and soft ones. Writes `sceneApart` to results.json for every result whose
 * sheet is there; sheets are those of the last guidance that was tried.
 *
 *   npx tsx models/recipe/sweep/judgeScenes.ts --out DATA [--learn 300] [--check 50]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { ownGuidance } from '../../../src-main/engine/checkpoints/ownGuidance.ts';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { loadPicture } from '../../../src-main/engine/pipelines/pictures.ts';
import type { Picture } from '../../../src-main/engine/pipelines/pixels.ts';
import { cutContactSheet } from '../contactSheet.ts';
import { side } from '../modelConfig.ts';
import { numberOption, option, outFolder, recipeFolder, repositoryFolder } from '../paths.ts';
import { Pictures } from '../shards.ts';
import { blurred } from './blurred.ts';
import { fitClassifier, type Example } from './linearClassifier.ts';
import { sheetName, type Result } from './results.ts';

/** The recipe's names of the sweep's scenes, in their order. */
const scenes = ['snow', 'beach', 'forest', 'bricks'];
/** Standard deviations in pixels, in turn: what a model draws is softer than what is rendered. */
const blurs = [1, 1.5, 2];
const [learn, check] = [numberOption('learn', 300), numberOption('check', 50)];
const model = option('model', join(repositoryFolder, 'models', 'likeness-mini'));

const features = await MobileNetFeatures.open(
  join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors'),
);
const rendered = new Pictures(join(outFolder(), 'train'));
const seen: Example[] = [];
const unseen = { sharp: [] as Example[], soft: [] as Example[] };
for (const [label, name] of scenes.entries()) {
  const places = rendered.captions.flatMap((caption, i) => (caption.scene === name ? [i] : []));
  const pictures = places.slice(0, learn + check).map(pictureAt);
  const soft = await Promise.all(
    pictures.map((picture, i) => blurred(picture, blurs[i % blurs.length] ?? 1)),
  );
  for (const [kind, shown] of [['sharp', pictures] as const, ['soft', soft] as const]) {
    const examples = (await features.pictures(shown)).map((vector) => ({ label, vector }));
    seen.push(...examples.slice(0, learn));
    unseen[kind].push(...examples.slice(learn));
  }
}
rendered.close();
const sceneOf = fitClassifier(seen);
for (const [kind, examples] of Object.entries(unseen)) {
  const right = examples.filter(({ label, vector }) => sceneOf(vector) === label).length;
  console.log(`Of ${examples.length} ${kind} rendered pictures it had not seen, it told ${right} right.`);
}

const file = join(recipeFolder, 'sweep', 'results.json');
const results = JSON.parse(readFileSync(file, 'utf8')) as Result[];
const guidance = Object.entries(ownGuidance(model, 'subject'));
const judged: Result[] = [];
for (const result of results) {
  const { seeds, outcomes } = result;
  const columns = seeds * scenes.length;
  const isLast = guidance.every(([key, value]) => result[key as keyof Result] === value);
  const sheet =
    isLast && (await loadPicture(join(outFolder(), 'sweep', sheetName(result))).catch(() => null));
  const pictures = sheet ? cutContactSheet(sheet, side) : [];
  if (pictures.length !== outcomes.length * columns) {
    judged.push(result);
    continue;
  }
  const found = (await features.pictures(pictures)).map(sceneOf);
  const shares = outcomes.map((_, row) => {
    const own = found.slice(row * columns, (row + 1) * columns);
    return own.filter((scene, i) => scene === Math.floor(i / seeds)).length / columns;
  });
  judged.push({
    ...result,
    outcomes: outcomes.map((outcome, row) => ({ ...outcome, sceneApart: shares[row] ?? NaN })),
  });
  console.log(`${result.variant}, ${result.subject}: ${shares.join(', ')}`);
}
writeAtomically(file, () => [Buffer.from(`${JSON.stringify(judged, null, 1)}\n`)]);
await features.dispose();

function pictureAt(index: number): Picture {
  return { width: side, height: side, data: rendered.bytes(index) };
}
