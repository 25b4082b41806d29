/**
 * The set-up, run by `npm start`, `npm run quickstart`, `npm test` and `npm run build`: installs the packages of
 * package-lock.json, compiles SQLite (setupNative.mjs), bundles the command to dist/likeness.js and links `npx likeness` to
 * it; with `--studio` also bundles the window. Each only when something changed; quiet when there is nothing to do. Plain
 * JavaScript without packages, because it runs before any is there.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './setupNative.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inRoot = (...parts) => path.join(root, ...parts);
const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** Node would open its hundred files one by one at every start. */
const bundled = ['zod'];
const { dependencies, devDependencies } = readJson(inRoot('package.json'));

const bundling = {
  bundle: true,
  external: Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !bundled.includes(name)),
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'error',
};

try {
  checkNode();
  if (!isInstalled()) install();
  buildNative(root);
  if (!isNewer('dist/likeness.js', 'src-main', 'src-shared')) await build();
  if (process.argv.includes('--studio') && !isNewer('dist/renderer/index.html', 'src-renderer', 'src-shared'))
    await buildRenderer();
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

/** True when `bundle` is newer than every file and folder (a file may have gone) of `sources`. */
function isNewer(bundle, ...sources) {
  if (!fs.existsSync(inRoot(bundle))) return false;
  const built = fs.statSync(inRoot(bundle)).mtimeMs;
  const files = sources.flatMap((folder) => [
    folder,
    ...fs.readdirSync(inRoot(folder), { recursive: true }).map((name) => path.join(folder, name)),
  ]);
  // A file may go between the listing and the look: an editor's, or another process' temporary one.
  return ['package-lock.json', ...files].every(
    (name) => (fs.statSync(inRoot(name), { throwIfNoEntry: false })?.mtimeMs ?? 0) <= built,
  );
}

async function build() {
  const { build: bundle } = await import('esbuild');
  const entries = { likeness: 'cli/start.ts', worker: 'worker/worker.ts', main: 'main.ts' };
  const { metafile } = await bundle({
    ...bundling,
    metafile: true,
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, file]) => [name, inRoot('src-main', file)]),
    ),
    outdir: inRoot('dist'),
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: '#!/usr/bin/env node' },
    splitting: true,
    format: 'esm',
  });
  const outputs = Object.keys(metafile.outputs).map((name) => path.posix.relative('dist', name));
  fs.writeFileSync(inRoot('dist/outputs.json'), JSON.stringify({ outputs }));
  // A sandboxed preload script is one CommonJS file.
  await bundle({
    ...bundling,
    entryPoints: [inRoot('src-main/preload.ts')],
    outfile: inRoot('dist/preload.cjs'),
    format: 'cjs',
  });
  removeOldChunks();
}

async function buildRenderer() {
  // Tests set it otherwise, and would leave a window with Svelte's checks for developers.
  process.env.NODE_ENV = 'production';
  const { build: bundle } = await import('vite');
  await bundle({ configFile: inRoot('src-renderer/vite.config.ts') });
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
