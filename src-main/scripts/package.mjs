/**
 * `npm run package`: packages of the studio for the system it runs on, in release/. Words after `--` are electron-builder's: `--linux dir`
 * makes only the folder. Electron's SQLite is compiled or fetched on the way (packageNative.mjs).
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = path.join(root, 'dist');

gather();
const builder = path.join(root, 'node_modules/electron-builder/cli.js');
const { status } = spawnSync(process.execPath, [builder, '--publish', 'never', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

/** What the newest build wrote, into dist/package: dist/chunks keeps those of earlier builds too. */
function gather() {
  const folder = path.join(dist, 'package');
  fs.rmSync(folder, { recursive: true, force: true });
  const { outputs } = JSON.parse(fs.readFileSync(path.join(dist, 'outputs.json'), 'utf8'));
  for (const name of [...outputs, 'preload.cjs', 'renderer'])
    if (!name.endsWith('.map') && name !== 'likeness.js')
      fs.cpSync(path.join(dist, name), path.join(folder, name), { recursive: true });
}
