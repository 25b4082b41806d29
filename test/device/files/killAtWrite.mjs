/**
 * Loaded before the command (`node --import`): ends the process with SIGKILL at its KILL_AT-th change of a file or folder, before the
 * change, or halfway through where it writes bytes. With KILL_COUNT it writes the number of changes there instead.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { KILL_AT = '0', KILL_COUNT } = process.env;
const at = Number(KILL_AT);
const writeFileSync = fs.writeFileSync;
let changes = 0;

/** Half of the bytes of a write are written before the end, where there are two or more. */
function halved(name, [target, bytes, ...rest]) {
  if (!(bytes instanceof Uint8Array || typeof bytes === 'string') || bytes.length < 2) return undefined;
  const half = bytes.slice(0, bytes.length >> 1);
  if (name === 'write' || name === 'writeSync')
    return typeof rest[0] === 'number' && rest[1] > 1
      ? [target, bytes, rest[0], rest[1] >> 1, rest[2]]
      : undefined;
  return [target, half, ...rest];
}

function counted(name, real, sync) {
  return function (...given) {
    if (/^open/.test(name) && !/[wa+]/.test(String(given[1] ?? 'r'))) return real.apply(this, given);
    if (++changes === at) {
      const part = /write|append/i.test(name) && at % 2 ? halved(name, given) : undefined;
      if (part && sync) real.apply(this, part);
      process.kill(process.pid, 'SIGKILL');
    }
    return real.apply(this, given);
  };
}

const names = [
  'appendFile',
  'copyFile',
  'cp',
  'link',
  'mkdir',
  'mkdtemp',
  'open',
  'rename',
  'rm',
  'rmdir',
  'symlink',
  'truncate',
  'unlink',
  'write',
  'writev',
  'writeFile',
];
for (const name of names) {
  for (const own of [name, `${name}Sync`])
    if (own in fs) fs[own] = counted(own, fs[own], own.endsWith('Sync'));
  if (name in fs.promises) fs.promises[name] = counted(name, fs.promises[name], false);
}
const file = await fs.promises.open(process.execPath, 'r');
const handle = Object.getPrototypeOf(file);
await file.close();
for (const name of ['write', 'writeFile', 'appendFile', 'writev', 'truncate']) {
  const real = handle[name];
  handle[name] = function (...given) {
    if (++changes === at) process.kill(process.pid, 'SIGKILL');
    return real.apply(this, given);
  };
}
syncBuiltinESMExports();
if (KILL_COUNT) process.on('exit', () => writeFileSync(KILL_COUNT, String(changes)));
