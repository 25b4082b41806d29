/**
 * npx tsx test/device/files/kills.ts KIND,…|all COUNT [SEED]: kills commands with SIGKILL, at a random change of a file or at a random
 * moment, one to three times in a row, runs each again to its end, and compares every file below its home, cache, temporary and working
 * folders with those of a run that nobody killed. A case can be made again from its kind and its seed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { standInHub } from '../../app/standInHub.ts';
import { killed, makeKillInputs, type Killed } from './killed.ts';
import { randomFrom } from './mutations.ts';

const [kind = 'all', count = '10', first = '0'] = process.argv.slice(2);
const command = path.resolve(process.env['LIKENESS_COMMAND'] ?? 'dist/likeness.js');
const preload = path.resolve('test/device/files/killAtWrite.mjs');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness kills ü '));
const inputs = path.join(scratch, 'inputs');
const work = path.join(scratch, 'work');
const mark = `LIKENESS_KILLS=${path.basename(scratch)}`;

interface Kill {
  /** The change of a file that it happens at. */
  readonly at?: number;
  /** Milliseconds after the start. */
  readonly after?: number;
}

interface Ended {
  readonly status: number | null;
  readonly said: string;
  readonly seconds: number;
}

const hub = await standInHub(path.resolve('test/golden/fixtures/models/tiny-bk'));

function run(words: readonly string[], { at, after }: Kill, counted?: string): Promise<Ended> {
  const folders = { HOME: 'home', LIKENESS_CACHE: 'cache', TMPDIR: 'tmp' };
  const env = Object.fromEntries(Object.entries(folders).map(([name, own]) => [name, path.join(work, own)]));
  const child = spawn(process.execPath, ['--import', preload, command, ...words, '--json'], {
    cwd: path.join(work, 'here'),
    env: {
      ...process.env,
      ...env,
      ...{ HF_ENDPOINT: hub.address, LIKENESS_KILLS: path.basename(scratch) },
      ...(at !== undefined && { KILL_AT: String(at) }),
      ...(counted !== undefined && { KILL_COUNT: counted }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const began = performance.now();
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const timer = after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), after);
  return new Promise((resolve) =>
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, said, seconds: (performance.now() - began) / 1000 });
    }),
  );
}

/** Every file below the working folders, with what its bytes hash to once times and process ids are taken out. */
function contents(): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(work, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(work, file);
    if (entry.isDirectory()) found.set(`${name}/`, '');
    else {
      let bytes: Buffer | string = readFileSync(file);
      if (/\.jsonl?$/.test(name))
        bytes = bytes
          .toString()
          .replace(
            /"(created|createdAt|startedAt|endedAt|seconds|time|at|date|finishedAt)": ?("[^"]*"|[\d.e+-]+)/g,
            '"$1":0',
          );
      found.set(name, createHash('sha256').update(bytes).digest('hex'));
    }
  }
  return found;
}

function fresh({ begin }: Killed): void {
  rmSync(work, { recursive: true, force: true });
  for (const name of ['home', 'cache', 'tmp', 'here']) mkdirSync(path.join(work, name), { recursive: true });
  for (const [from, to] of begin ?? [])
    cpSync(path.join(inputs, from), path.join(work, to), { recursive: true });
}

/** Processes of this campaign that are still there. */
function orphans(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
    } catch {
      return false;
    }
  });
}

function differences(wanted: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const told: string[] = [];
  for (const [name, hash] of wanted)
    if (!found.has(name)) told.push(`gone: ${name}`);
    else if (found.get(name) !== hash) told.push(`other bytes: ${name}`);
  for (const name of found.keys()) if (!wanted.has(name)) told.push(`left: ${name}`);
  // Which files are old enough for their hash to be kept is a matter of seconds.
  return told.filter((line) => !/^(left|gone): cache\/hashes\/([0-9a-f]{32})?$/.test(line));
}

let faults = 0;
await makeKillInputs(inputs);
const all = killed(inputs, path.join(work, 'here'));
const chosen = all.filter(({ name }) => kind === 'all' || kind.split(',').includes(name));
if (chosen.length === 0) throw new Error(`kinds: ${all.map(({ name }) => name).join(', ')}`);
for (const one of chosen) {
  const { name, words, again = words, mayDiffer = /^$/ } = one;
  const counted = path.join(scratch, 'count');
  let seconds = 0;
  const calm = async (): Promise<Map<string, string>> => {
    fresh(one);
    const ended = await run(words, {}, counted);
    if (ended.status !== 0) throw new Error(`${name}: ${ended.said.slice(-900)}`);
    seconds = ended.seconds;
    return contents();
  };
  const wanted = await calm();
  const changes = Number(readFileSync(counted, 'utf8'));
  console.log(`${name}: ${changes} changes of files, ${seconds.toFixed(1)} s`);
  for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
    const random = randomFrom(seed * 7919 + 1);
    fresh(one);
    const kills: Kill[] = [];
    const told: string[] = [];
    let ended: Ended | undefined;
    const times = 1 + random(3);
    for (let i = 0; i < times; i++) {
      const kill =
        random(10) < 8 ? { at: 1 + random(changes) } : { after: Math.round(seconds * (100 + random(1000))) };
      kills.push(kill);
      ended = await run(kills.length > 1 ? again : words, kill);
      if (ended.status === 0) break;
      if (ended.status !== null) told.push(`exit status ${ended.status}: ${ended.said.slice(-400)}`);
      const alive = orphans();
      if (alive.length) told.push(`still there: ${alive.join()}`);
    }
    // What ended before the kill came is done; another call would be another command.
    if (!ended?.said.includes('"type":"done"')) {
      const { status, said } = await run(again, {});
      if (status !== 0) told.push(`exit status ${status}: ${said.slice(-600)}`);
    }
    told.push(...differences(wanted, contents()).filter((line) => !mayDiffer.test(line)));
    console.log(
      `${name} ${seed} ${JSON.stringify(kills)} ${told.length ? `FAULT\n  ${told.join('\n  ')}` : 'the same'}`,
    );
    faults += told.length ? 1 : 0;
  }
}
hub.close();
rmSync(scratch, { recursive: true, force: true });
console.log(`${faults} with faults`);
process.exit(faults ? 1 : 0);
