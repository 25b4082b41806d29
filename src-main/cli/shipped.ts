import fs from 'node:fs';
import path from 'node:path';

/** The folder of package.json: the same from the sources and from the bundle. */
const packageRoot = (() => {
  let folder = import.meta.dirname;
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
})();

export const version = (
  JSON.parse(fs.readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version;

/** The model that comes with Likeness, a diffusers folder. */
export const shippedModel = path.join(packageRoot, 'models', 'likeness-mini');
