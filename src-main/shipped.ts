import fs from 'node:fs';
import path from 'node:path';

/** The folder of package.json, from the sources and from the bundle. */
const packageRoot = (() => {
  let folder = import.meta.dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
})();

/** Files that must have a real path: in the packaged app they are beside its asar. */
const filesRoot = path.basename(packageRoot) === 'app.asar' ? path.dirname(packageRoot) : packageRoot;

export const { version } = readJson(path.join(packageRoot, 'package.json')) as { version: string };

/** The model that comes with Likeness, a diffusers folder. */
export const shippedModel = path.join(filesRoot, 'models', 'likeness-mini');

/** Networks that score pictures: MobileNetV2, and the shipped model's own scorer if it has one. */
export const scorerFiles = {
  mobileNet: path.join(filesRoot, 'resources', 'scorers', 'mobilenet-v2.safetensors'),
  likenessScorer: shippedModel,
};

/** The network that enlarges pictures by a factor. */
export function upscalerFile(factor: number): string {
  return path.join(filesRoot, 'resources', 'upscalers', `span-x${factor}.safetensors`);
}

/** The photos that come with Likeness, and what they show. */
export function sampleSubject(): { readonly photos: string; readonly classNoun: string } {
  const photos = path.join(filesRoot, 'resources', 'sample-subject');
  const { classNoun } = readJson(path.join(photos, 'subject.json')) as { classNoun: string };
  return { photos, classNoun };
}

/** All shipped files that the studio uses. */
export function shippedFiles() {
  return { version, model: shippedModel, sample: sampleSubject(), scorers: scorerFiles };
}

/** The folder of the bundles, beside package.json. */
export function bundleFolder(): string {
  return path.join(packageRoot, 'dist');
}

function readJson(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}
