/**
 * A second opinion on the scenes of the sweep's pictures, by a classifier that has nothing to do with the model: the nearest of four
 * means of MobileNetV2's features over rendered pictures of each scene. Adds `sceneApart` to results.json.
 *
 *   npx tsx models/recipe/sweep/judgeScenes.ts --out DATA [--learn 150] [--check 50]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosine, normalized } from '../../../src-main/engine/evaluation/features.ts';
import { writeAtomically } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { loadPicture } from '../../../src-main/engine/pipelines/pictures.ts';
import type { Picture } from '../../../src-main/engine/pipelines/pixels.ts';
import { cutContactSheet } from '../contactSheet.ts';
import { side } from '../modelConfig.ts';
import { numberOption, outFolder, recipeFolder, repositoryFolder } from '../paths.ts';
import { Pictures } from '../shards.ts';
import { sheetName, type Result } from './results.ts';

/** The recipe's names of the sweep's scenes, in their order. */
const scenes = ['snow', 'beach', 'forest', 'bricks'];
const [learn, check] = [numberOption('learn', 150), numberOption('check', 50)];

const features = await MobileNetFeatures.open(
  join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors'),
);
const rendered = new Pictures(join(outFolder(), 'train'));
const means: Float32Array[] = [];
const unseen: { readonly scene: number; readonly vector: Float32Array }[] = [];
for (const [scene, name] of scenes.entries()) {
  const places = rendered.captions.flatMap((caption, i) => (caption.scene === name ? [i] : []));
  const vectors = await features.pictures(places.slice(0, learn + check).map(pictureAt));
  means.push(meanOf(vectors.slice(0, learn)));
  unseen.push(...vectors.slice(learn).map((vector) => ({ scene, vector })));
}
rendered.close();
const right = unseen.filter(({ scene, vector }) => nearest(vector) === scene).length;
console.log(`Of ${unseen.length} rendered pictures it had not seen, it told ${right} right.`);

const file = join(recipeFolder, 'sweep', 'results.json');
const results = JSON.parse(readFileSync(file, 'utf8')) as Result[];
const judged: Result[] = [];
for (const result of results) {
  const { seeds, outcomes } = result;
  // The sheets are those of the last guidance that was tried.
  if (outcomes.every(({ sceneApart }) => sceneApart !== undefined)) {
    judged.push(result);
    continue;
  }
  const columns = seeds * scenes.length;
  const sheet = await loadPicture(join(outFolder(), 'sweep', sheetName(result))).catch(() => undefined);
  const pictures = sheet ? cutContactSheet(sheet, side) : [];
  if (pictures.length !== outcomes.length * columns) {
    judged.push(result);
    continue;
  }
  const vectors = await features.pictures(pictures);
  const shares = outcomes.map((_, row) => {
    const own = vectors.slice(row * columns, (row + 1) * columns);
    return own.filter((vector, i) => nearest(vector) === Math.floor(i / seeds)).length / columns;
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

function nearest(vector: Float32Array): number {
  const near = means.map((mean) => cosine(mean, vector));
  return near.indexOf(Math.max(...near));
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (const [i, value] of vector.entries()) (sum[i] as number) += value;
  return normalized(sum);
}
