/**
 * Gets the sources of the training pictures with the ordinary clients and unpacks them under `--out`/cache:
 * the Debian package `sweethome3d-furniture` (3D models) and the npm packages of models/recipe/package.json
 * (panoramas). Each step is skipped when its result is already there.
 *
 *   npx tsx models/recipe/data/fetchData.ts [--out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { furnitureSets } from '../render/catalog.ts';
import { mendPanorama, panoramaHeight, panoramaWidth } from '../render/panorama.ts';
import { cacheFolder, packagesFolder, recipeFolder } from '../paths.ts';

/** The part of three's EXRLoader used here; three ships no types. */
interface ExrModule {
  EXRLoader: new () => {
    setDataType(type: number): void;
    parse(buffer: ArrayBuffer): { width: number; height: number; data: Float32Array };
  };
}
const threeFloatType = 1015;

function run(command: string, args: string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
}

function fetchPackages(): void {
  if (existsSync(join(packagesFolder, '@pmndrs', 'assets'))) return;
  run('npm', ['install', '--no-audit', '--no-fund'], recipeFolder);
}

function fetchFurniture(cache: string): void {
  const models = join(cache, 'models');
  if (furnitureSets.every((set) => existsSync(join(models, set.name)))) return;
  const unpacked = join(cache, 'furniture');
  if (!existsSync(unpacked)) {
    const deb = () => readdirSync(cache).find((f) => /^sweethome3d-furniture_.*\.deb$/.test(f));
    if (!deb()) run('apt-get', ['download', 'sweethome3d-furniture'], cache);
    run('dpkg', ['-x', deb() ?? '', unpacked], cache);
  }
  for (const set of furnitureSets) {
    const folder = join(models, set.name);
    mkdirSync(folder, { recursive: true });
    run('unzip', ['-q', '-o', join(unpacked, 'usr/share/sweethome3d/furniture', `${set.name}.sh3f`)], folder);
  }
}

/** Decodes the EXR panoramas (data URLs in JavaScript files) to raw float32 RGB, rows from the zenith down. */
async function decodePanoramas(cache: string): Promise<void> {
  const target = join(cache, 'panoramas');
  if (existsSync(target)) return;
  const loaderFile = join(packagesFolder, 'three', 'examples', 'jsm', 'loaders', 'EXRLoader.js');
  const { EXRLoader } = (await import(pathToFileURL(loaderFile).href)) as ExrModule;
  const source = join(packagesFolder, '@pmndrs', 'assets', 'hdri');
  mkdirSync(target);
  for (const file of readdirSync(source).filter((f) => f.endsWith('.exr.js'))) {
    const base64 = /base64,([^'"]+)/.exec(readFileSync(join(source, file), 'utf8'))?.[1] ?? '';
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    const loader = new EXRLoader();
    loader.setDataType(threeFloatType);
    const image = loader.parse(bytes.buffer);
    if (image.width !== panoramaWidth || image.height !== panoramaHeight)
      throw new Error(`${file}: unexpected size`);
    const rgb = mendPanorama(image.data);
    writeFileSync(join(target, file.replace('.exr.js', '.f32')), new Uint8Array(rgb.buffer));
  }
}

const cache = cacheFolder();
mkdirSync(cache, { recursive: true });
fetchPackages();
fetchFurniture(cache);
await decodePanoramas(cache);
console.log(`Sources are ready in ${cache}.`);
