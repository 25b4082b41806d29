/**
 * The set-up, run by `npm run quickstart`, `npm test` and `npm run build`: installs the packages of package-lock.json,
 * bundles the command to dist/likeness.js and links `npx likeness` to it. Each only when something changed; quiet when
 * there is nothing to do. Plain JavaScript without packages, because it runs before any is there.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (...parts) => path.join(root, ...parts);
const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

try {
  checkNode();
  if (!isInstalled()) install();
  if (!isBuilt()) await build();
  linkCommand();
} catch (error) {
  if (process.argv.includes('--debug')) throw error;
  console.error(`Set-up failed: ${error.message}`);
  process.exitCode = 1;
}

function checkNode() {
  const wanted = readJson(inRoot('package.json')).engines.node.replace('>=', '');
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = wanted.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  throw new Error(
    `this is Node ${process.versions.node}, but ${wanted} or newer is needed: https://nodejs.org`,
  );
}

/** npm keeps the list of what it installed; it must agree with the lock file (optional packages are for other machines). */
function isInstalled() {
  const installedList = inRoot('node_modules/.package-lock.json');
  if (!fs.existsSync(installedList)) return false;
  const installed = readJson(installedList).packages;
  return Object.entries(readJson(inRoot('package-lock.json')).packages).every(
    ([place, { version, optional }]) =>
      place === '' || (installed[place] ? installed[place].version === version : optional),
  );
}

function install() {
  console.error('Setting up: installing packages (once, about 200 MB to fetch) …');
  const npm = process.env.npm_execpath;
  const words = [
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
  ];
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...words], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    : spawnSync('npm', words, {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
        shell: process.platform === 'win32',
      });
  if (result.status === 0) return;
  const why =
    result.error?.message ?? (result.signal ? `npm was stopped by ${result.signal}` : 'see npm above');
  throw new Error(
    `npm could not install the packages (${why}); check the network and the disk, then run this again.`,
  );
}

/** True when the bundle is newer than every source file, folder (a file may have gone) and the set-up itself. */
function isBuilt() {
  const bundle = inRoot('dist/likeness.js');
  if (!fs.existsSync(bundle)) return false;
  const built = fs.statSync(bundle).mtimeMs;
  const sources = ['src-main', 'src-shared'].flatMap((folder) => [
    folder,
    ...fs.readdirSync(inRoot(folder), { recursive: true }).map((name) => path.join(folder, name)),
  ]);
  return ['package-lock.json', ...sources].every((name) => fs.statSync(inRoot(name)).mtimeMs <= built);
}

async function build() {
  const { build: bundle } = await import('esbuild');
  await bundle({
    entryPoints: { likeness: inRoot('src-main/cli/main.ts') },
    outdir: inRoot('dist'),
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: '#!/usr/bin/env node' },
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    logLevel: 'error',
  });
  removeOldChunks();
}

/** Commands that started from an earlier build still load its chunks: those are left for a week. */
function removeOldChunks() {
  const week = 7 * 24 * 3600 * 1000;
  for (const name of fs.readdirSync(inRoot('dist/chunks'))) {
    const chunk = inRoot('dist/chunks', name);
    if (Date.now() - fs.statSync(chunk).mtimeMs > week) fs.rmSync(chunk, { force: true });
  }
}

/** npm links the commands of packages only, not those of the project itself. */
function linkCommand() {
  const bundle = inRoot('dist/likeness.js');
  const link = inRoot('node_modules/.bin/likeness');
  fs.mkdirSync(path.dirname(link), { recursive: true });
  if (process.platform === 'win32') {
    fs.writeFileSync(`${link}.cmd`, '@node "%~dp0\\..\\..\\dist\\likeness.js" %*\r\n');
    return;
  }
  fs.chmodSync(bundle, 0o755);
  const target = path.relative(path.dirname(link), bundle);
  const linked = fs.lstatSync(link, { throwIfNoEntry: false });
  if (linked?.isSymbolicLink() && fs.readlinkSync(link) === target) return;
  fs.rmSync(link, { force: true });
  fs.symlinkSync(target, link);
}
