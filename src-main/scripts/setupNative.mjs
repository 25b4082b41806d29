/**
 * SQLite for the studio's library, compiled once for this Node (about a minute) and kept in .cache, because `npm ci` empties
 * node_modules. Compiled and not fetched: its source is in package-lock.json with its hash. The command line works without it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export function buildNative(root) {
  const folder = path.join(root, 'node_modules/better-sqlite3');
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const name = `better-sqlite3-${version}-${process.platform}-${process.arch}-abi${process.versions.modules}.node`;
  const kept = path.join(root, '.cache/native', name);
  const release = path.join(folder, 'build/Release');
  const stamp = path.join(release, 'built-for');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === name) return;
  fs.mkdirSync(path.dirname(kept), { recursive: true });
  withLock(`${kept}.lock`, () => {
    if (!fs.existsSync(kept) && !compile(root, folder, kept)) return;
    fs.rmSync(path.join(folder, 'build'), { recursive: true, force: true });
    fs.mkdirSync(release, { recursive: true });
    fs.copyFileSync(kept, path.join(release, 'better_sqlite3.node'));
    fs.writeFileSync(stamp, name);
  });
}

/** Compiles, or where that fails (no compiler) fetches what the project's authors compiled. False when neither works. */
function compile(root, folder, kept) {
  console.error('Setting up: compiling SQLite (once, about a minute) …');
  const gyp = path.join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const prebuilt = path.join(root, 'node_modules/prebuild-install/bin.js');
  const built = path.join(folder, 'build/Release/better_sqlite3.node');
  const compiled = run(folder, gyp, 'rebuild', '--release', ...headers());
  const fetched = compiled.status === 0 ? compiled : run(folder, prebuilt);
  if (fetched.status === 0 && fs.existsSync(built)) {
    fs.copyFileSync(built, `${kept}.new`);
    fs.renameSync(`${kept}.new`, kept);
    return true;
  }
  const why = /^.*(?:error|ERR!).*$/im.exec(`${compiled.stderr}`)?.[0] ?? 'no reason given';
  console.error(
    `SQLite could not be compiled (${why.trim()}), so "npm start" and "likeness serve" will not work; every other command will. ` +
      'They need a C++ compiler, make and Python 3 (Debian: apt-get install build-essential python3).',
  );
  return false;
}

/** Node's own headers where it came with them; else node-gyp fetches them. */
function headers() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  return fs.existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
}

function run(cwd, script, ...words) {
  return spawnSync(process.execPath, [script, ...words], { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
}

/** Two set-ups at once: the second waits until the first is done, or has been dead for a while. */
function withLock(lock, work) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      fs.mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const age = Date.now() - (fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
      if (age > 10 * 60_000) fs.rmSync(lock, { recursive: true, force: true });
      else Atomics.wait(pause, 0, 0, 500);
    }
  }
  try {
    work();
  } finally {
    fs.rmSync(lock, { recursive: true, force: true });
  }
}
