/**
 * Makes the training pictures: shards of raw uint8 RGB with several captions per picture. Every picture has its own
 * seed, so any prefix is a balanced mixture, a run can be stopped and started again, and the number of workers does
 * not change the result.
 *
 *   npx tsx models/recipe/makeData.ts [--out FOLDER] [--count 20000] [--seed 1] [--workers 1] [--size 128] [--name train]
 *     [--everything yes] all objects, emoji and scenes there are, not only those of selection.ts
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
import { contactSheet } from './contactSheet.ts';
import { photographEmoji, readEmoji } from './emoji.ts';
import type { Emoji } from './emoji.ts';
import { heldOutIds } from './heldOut.ts';
import { madeSubjects } from './madeSubjects.ts';
import type { Mesh } from './mesh.ts';
import { catalogSubjects, paint, stretch } from './objects.ts';
import type { Subject } from './objects.ts';
import { loadPanorama, panoramaNames } from './panorama.ts';
import type { Panorama } from './panorama.ts';
import { cacheFolder, numberOption, option, outFolder } from './paths.ts';
import { photograph, photographPlace, randomPose, viewOf } from './photograph.ts';
import { mixSeed, Random } from './random.ts';
import { scenes as allScenes } from './scenes.ts';
import type { Scene } from './stage.ts';
import { taughtEmoji, taughtObjects, untaughtScenes } from './selection.ts';

const shardSize = 1000;

/** Shares of catalogue models, objects built by rule, emoji, and places with nothing in them. */
const shares = { model: 0.42, made: 0.38, emoji: 0.16, place: 0.04 };

const everything = option('everything', 'no') === 'yes';
const scenes = everything ? allScenes : allScenes.filter(({ key }) => !untaughtScenes.has(key));

interface Sources {
  subjects: Subject[];
  made: Subject[];
  emoji: Emoji[];
  photographedNouns: Set<string>;
  shares: typeof shares;
  panoramas: Map<string, Panorama>;
}

function openSources(cache: string, onlyHeldOut: boolean): Sources {
  const held = heldOutIds();
  const all = catalogSubjects(cache);
  const subjects = all.filter(
    ({ id, nouns }) =>
      held.has(id) === onlyHeldOut && (everything || onlyHeldOut || taughtObjects.has(nouns[0] ?? '')),
  );
  const made = madeSubjects();
  return {
    subjects,
    made,
    shares: onlyHeldOut ? heldOutShares : shares,
    emoji: everything ? readEmoji() : firstOfEachNoun(readEmoji()),
    photographedNouns: new Set([...all, ...made].flatMap((s) => s.nouns)),
    panoramas: new Map(panoramaNames.map((name) => [name, loadPanorama(cache, name)])),
  };
}

/** The first emoji of every noun that is taught. */
function firstOfEachNoun(emoji: Emoji[]): Emoji[] {
  const first = new Map<string, Emoji>();
  for (const one of emoji) {
    const noun = one.nouns[0] ?? '';
    if (taughtEmoji.has(noun) && !first.has(noun)) first.set(noun, one);
  }
  return [...first.values()];
}

interface Plan {
  index: number;
  random: Random;
  scene: Scene;
  source: keyof typeof shares;
  subject?: Subject;
  emoji?: Emoji;
}

/** Held-out pictures show catalogue models only. */
const heldOutShares = { model: 1, made: 0, emoji: 0, place: 0 };

/** Decides what picture `index` shows. Emoji are drawn by noun, so that cars do not crowd out the rest. */
function plan(sources: Sources, seed: number, index: number, nounCount: Map<string, number>): Plan {
  const random = new Random(mixSeed(seed, index));
  const source = random.weighted(Object.keys(shares) as (keyof typeof shares)[], (s) => sources.shares[s]);
  const scene = random.weighted(scenes, (s) => s.weight);
  if (source === 'place') return { index, random, scene, source };
  if (source === 'emoji') {
    const emoji = random.weighted(sources.emoji, (e) => 1 / Math.sqrt(nounCount.get(e.nouns[0] ?? '') ?? 1));
    return { index, random, scene, source, emoji };
  }
  const subject = random.weighted(source === 'made' ? sources.made : sources.subjects, (s) => s.weight);
  return { index, random, scene, source, subject };
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
  const shown: Shown = { nouns: [], phrases: [], style: 'photo', ambiguous: false };
  let pixels: Uint8Array;
  if (p.emoji) {
    pixels = await photographEmoji(p.emoji, scene.make(random, sources.panoramas), random, size);
    shown.nouns = p.emoji.nouns;
    shown.style = 'emoji';
    shown.ambiguous = p.emoji.nouns.some((n) => sources.photographedNouns.has(n));
  } else if (p.subject) {
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
    shown.style = 'place';
  }
  shown.phrases = scene.phrases;
  const line = JSON.stringify({
    captions: captionsOf(shown, random),
    object: p.emoji?.id ?? p.subject?.id ?? null,
    noun: shown.nouns[0] ?? null,
    color: shown.color,
    scene: scene.key,
    view: shown.view,
    source: p.source,
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
  const nounCount = new Map<string, number>();
  for (const { nouns } of sources.emoji)
    nounCount.set(nouns[0] ?? '', (nounCount.get(nouns[0] ?? '') ?? 0) + 1);
  const plans = Array.from({ length: count }, (_, k) =>
    plan(sources, seed, shard * shardSize + k, nounCount),
  );
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
        shares: sources.shares,
        scenes: scenesByKey,
        heldOut: [...heldOutIds()],
      },
      null,
      1,
    ),
  );
  const meshes = new MeshCache();
  for (let shard = 0; shard * shardSize < count; shard++) {
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
