/**
 * Makes the training pictures: shards of raw uint8 RGB with several captions per picture. Every picture has its own
 * seed, so any prefix is a balanced mixture, a run can be stopped and started again, and the number of workers does
 * not change the result.
 *
 *   npx tsx models/recipe/data/makeData.ts [--out FOLDER] [--count 20000] [--seed 1] [--workers 1] [--size 128] [--name train]
 *     [--backwards yes] last shard first: a second process that meets the first in the middle
 *     [--held only]   pictures of the held-out objects alone: for measuring, never for training
 *
 * Writes `<out>/<name>/images-NNN.bin` ([n, size, size, 3]), `captions-NNN.jsonl` (line k belongs to picture k),
 * `preview-NNN.png` (its first 96 pictures) and `about.json`.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captionsOf } from './captions.ts';
import type { Shown } from './captions.ts';
import { contactSheet } from '../contactSheet.ts';
import { heldOutIds } from './heldOut.ts';
import { madeSubjects } from '../render/madeSubjects.ts';
import type { Mesh } from '../render/mesh.ts';
import { catalogSubjects, paint, stretch } from '../render/objects.ts';
import type { Subject } from '../render/objects.ts';
import { loadPanorama, panoramaNames } from '../render/panorama.ts';
import type { Panorama } from '../render/panorama.ts';
import { cacheFolder, numberOption, option, outFolder } from '../paths.ts';
import { photograph, photographPlace, randomPose, viewOf } from '../render/photograph.ts';
import { mixSeed, Random } from '../render/random.ts';
import { scenes as allScenes } from '../render/scenes.ts';
import type { Scene } from '../render/stage.ts';
import { taughtNouns, untaughtModels, untaughtScenes } from './selection.ts';

const shardSize = 1000;

/** Share of places with nothing in them. */
const emptyShare = 0.03;
/** Of a noun that is also built by rule, the share of pictures that show such an object. */
const madeShare = 0.65;

const scenes = allScenes.filter(({ key }) => !untaughtScenes.has(key));

/** What can be shown of one class noun. */
interface Kind {
  weight: number;
  models: Subject[];
  made: Subject[];
}

interface Sources {
  kinds: Kind[];
  emptyShare: number;
  panoramas: Map<string, Panorama>;
}

function openSources(cache: string, onlyHeldOut: boolean): Sources {
  const held = heldOutIds();
  const all = catalogSubjects(cache);
  const ofNoun = (subjects: Subject[], noun: string) => subjects.filter(({ nouns }) => nouns[0] === noun);
  const shown = all.filter(({ id }) => !held.has(id) && !untaughtModels.has(id));
  const made = madeSubjects();
  const kinds = onlyHeldOut
    ? [{ weight: 1, models: all.filter(({ id }) => held.has(id)), made: [] }]
    : [...taughtNouns].map(([noun, weight]) => ({
        weight,
        models: ofNoun(shown, noun),
        made: ofNoun(made, noun),
      }));
  return {
    kinds,
    emptyShare: onlyHeldOut ? 0 : emptyShare,
    panoramas: new Map(panoramaNames.map((name) => [name, loadPanorama(cache, name)])),
  };
}

interface Plan {
  random: Random;
  scene: Scene;
  /** Absent in a place with nothing in it. */
  subject?: Subject;
}

/** Decides what picture `index` shows. */
function plan(sources: Sources, seed: number, index: number): Plan {
  const random = new Random(mixSeed(seed, index));
  const scene = random.weighted(scenes, (s) => s.weight);
  if (random.chance(sources.emptyShare)) return { random, scene };
  const { models, made } = random.weighted(sources.kinds, (kind) => kind.weight);
  const byRule = made.length > 0 && (models.length === 0 || random.chance(madeShare));
  return { random, scene, subject: random.weighted(byRule ? made : models, (s) => s.weight) };
}

/** Parsed models, dropped oldest first when they exceed about 0.8 GB. */
class MeshCache {
  readonly #meshes = new Map<string, Mesh>();
  #triangles = 0;

  async get(subject: Subject, random: Random): Promise<{ mesh: Mesh; color?: string }> {
    if (!subject.entry) return subject.load(random);
    const known = this.#meshes.get(subject.id);
    if (known) return { mesh: known };
    const { mesh } = await subject.load(random);
    this.#meshes.set(subject.id, mesh);
    this.#triangles += mesh.triangles;
    for (const [id, old] of this.#meshes) {
      if (this.#triangles < 8e6) break;
      this.#meshes.delete(id);
      this.#triangles -= old.triangles;
    }
    return { mesh };
  }
}

async function takePicture(
  p: Plan,
  sources: Sources,
  meshes: MeshCache,
  size: number,
): Promise<{ pixels: Uint8Array; line: string }> {
  const { random } = p;
  let { scene } = p;
  const shown: Shown = { nouns: [], phrases: [] };
  let pixels: Uint8Array;
  if (p.subject) {
    const { subject } = p;
    const loaded = await meshes.get(subject, random);
    const painted = subject.entry ? paint(loaded.mesh, random, subject) : loaded;
    // A red thing on a red sheet shows nothing.
    while (painted.color && scene.key.endsWith(`-${painted.color}`))
      scene = random.weighted(scenes, (s) => s.weight);
    const mesh = subject.entry ? stretch(painted.mesh, random) : painted.mesh;
    const pose = randomPose(mesh, random);
    pixels = photograph(mesh, scene.make(random, sources.panoramas), pose, random, size);
    shown.nouns = subject.nouns;
    if (painted.color) shown.color = painted.color;
    const view = viewOf(pose);
    if (view) shown.view = view;
  } else {
    pixels = photographPlace(scene.make(random, sources.panoramas), random, size);
  }
  shown.phrases = scene.phrases;
  const line = JSON.stringify({
    captions: captionsOf(shown, random),
    object: p.subject?.id ?? null,
    noun: shown.nouns[0] ?? null,
    color: shown.color,
    scene: scene.key,
    view: shown.view,
    source: p.subject ? (p.subject.entry ? 'model' : 'made') : 'place',
  });
  return { pixels, line };
}

async function makeShard(
  sources: Sources,
  meshes: MeshCache,
  folder: string,
  shard: number,
  count: number,
  seed: number,
  size: number,
): Promise<void> {
  const name = String(shard).padStart(3, '0');
  const file = join(folder, `images-${name}.bin`);
  if (existsSync(file)) return;
  const started = Date.now();
  const plans = Array.from({ length: count }, (_, k) => plan(sources, seed, shard * shardSize + k));
  const bytes = size * size * 3;
  const images = new Uint8Array(count * bytes);
  const lines = new Array<string>(count).fill('');
  // Pictures of one model together: each is loaded once a shard.
  const order = plans
    .map((_, k) => k)
    .sort((a, b) => (plans[a]?.subject?.id ?? '').localeCompare(plans[b]?.subject?.id ?? ''));
  for (const k of order) {
    const { pixels, line } = await takePicture(plans[k] as Plan, sources, meshes, size);
    images.set(pixels, k * bytes);
    lines[k] = line;
  }
  writeFileSync(join(folder, `captions-${name}.jsonl`), lines.join('\n') + '\n');
  const first = Array.from({ length: Math.min(144, count) }, (_, k) =>
    images.subarray(k * bytes, (k + 1) * bytes),
  );
  await contactSheet(first, size, 12, join(folder, `preview-${name}.png`));
  writeFileSync(`${file}.part`, images);
  renameSync(`${file}.part`, file);
  console.log(`${name}: ${count} pictures in ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

async function main(): Promise<void> {
  const out = outFolder();
  const folder = join(out, option('name', 'train'));
  const count = numberOption('count', 20000);
  const seed = numberOption('seed', 1);
  const size = numberOption('size', 128);
  const workers = numberOption('workers', 1);
  const worker = numberOption('worker', -1);
  mkdirSync(folder, { recursive: true });
  if (workers > 1 && worker < 0) {
    const file = fileURLToPath(import.meta.url);
    const ends = Array.from({ length: workers }, (_, k) => {
      const child = spawn(
        process.execPath,
        [...process.execArgv, file, ...process.argv.slice(2), '--worker', String(k)],
        { stdio: 'inherit' },
      );
      return new Promise<void>((done, fail) =>
        child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`Worker ${k} failed.`)))),
      );
    });
    await Promise.all(ends);
    return;
  }
  const sources = openSources(cacheFolder(out), option('held', '') === 'only');
  const scenesByKey = Object.fromEntries(scenes.map((s) => [s.key, s.phrases]));
  writeFileSync(
    join(folder, 'about.json'),
    JSON.stringify(
      {
        size,
        shardSize,
        count,
        seed,
        layout: 'uint8 [n, size, size, 3] RGB',
        nouns: Object.fromEntries(taughtNouns),
        scenes: scenesByKey,
        heldOut: [...heldOutIds()],
      },
      null,
      1,
    ),
  );
  const meshes = new MeshCache();
  const shards = Array.from({ length: Math.ceil(count / shardSize) }, (_, k) => k);
  for (const shard of option('backwards', 'no') === 'yes' ? shards.reverse() : shards) {
    if (worker >= 0 && shard % workers !== worker) continue;
    await makeShard(
      sources,
      meshes,
      folder,
      shard,
      Math.min(shardSize, count - shard * shardSize),
      seed,
      size,
    );
  }
}

await main();
