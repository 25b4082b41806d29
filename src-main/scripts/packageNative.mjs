/**
 * electron-builder's `afterPack`: puts a SQLite for Electron's ABI where npm's set-up had one for Node's. Compiled with Electron's headers or
 * fetched as its authors compiled it: both need the network, and where there is none the package is made without, which is said:
 * its window will not open.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (...parts) => path.join(root, ...parts);
const architectures = ['ia32', 'x64', 'armv7l', 'arm64', 'universal'];

export default function putNative({ appOutDir, arch, electronPlatformName, packager }) {
  const target = { platform: electronPlatformName, arch: architectures[arch] };
  const resources = packager.getResourcesDir(appOutDir);
  const release = path.join(resources, 'app.asar.unpacked/node_modules/better-sqlite3/build/Release');
  const made = electronSqlite(target);
  if (made) fs.copyFileSync(made, path.join(release, 'better_sqlite3.node'));
  else
    console.error(
      'SQLite could neither be compiled nor fetched for Electron (its headers and the prebuilt files are on the network), ' +
        'so this package has the one for Node and its window will not open.',
    );
}

/** The library's file, kept for the next time; undefined where it cannot be had. */
function electronSqlite({ platform, arch }) {
  const electron = version('electron');
  const abi = fs.readFileSync(inRoot('node_modules/electron/abi_version'), 'utf8').trim();
  const name = `better-sqlite3-${version('better-sqlite3')}-${platform}-${arch}-electron${abi}.node`;
  const kept = inRoot('.cache/native', name);
  if (fs.existsSync(kept)) return kept;
  if (process.env.npm_config_offline === 'true') return undefined;
  // Beside the others: the project's own commands go on with Node's.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'likeness-sqlite-'));
  try {
    fs.cpSync(inRoot('node_modules/better-sqlite3'), folder, { recursive: true });
    fs.rmSync(path.join(folder, 'build'), { recursive: true, force: true });
    const run = (script, ...words) =>
      spawnSync(process.execPath, [inRoot('node_modules', script), ...words], {
        cwd: folder,
        stdio: 'ignore',
        timeout: 600_000,
      }).status === 0;
    const forElectron = [`--target=${electron}`, `--arch=${arch}`, '--runtime=electron'];
    const built = path.join(folder, 'build/Release/better_sqlite3.node');
    const done =
      run('prebuild-install/bin.js', ...forElectron, `--platform=${platform}`) ||
      (platform === process.platform &&
        run(
          'node-gyp/bin/node-gyp.js',
          ...['rebuild', '--release', ...forElectron, '--dist-url=https://electronjs.org/headers'],
        ));
    if (!done || !fs.existsSync(built)) return undefined;
    fs.mkdirSync(path.dirname(kept), { recursive: true });
    fs.copyFileSync(built, kept);
    return kept;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function version(name) {
  return JSON.parse(fs.readFileSync(inRoot('node_modules', name, 'package.json'), 'utf8')).version;
}
