import { appendFileSync, existsSync, readFileSync } from 'node:fs';

// Stands in for the program that runs one part: "mini" is killed as by a driver's crash, "picture" ends with a sentence, "sd1" hangs, and
// "sd2" hangs halfway the first time.
const word = (name) => process.argv[process.argv.indexOf(name) + 1];
const [part, file] = [word('--part'), word('--findings')];
const tell = (finding) => appendFileSync(file, `${JSON.stringify(finding)}\n`);
const hang = () => setInterval(() => undefined, 1000);
const small = process.argv.includes('--small') ? ', narrow' : '';
const again = existsSync(file) && readFileSync(file, 'utf8').includes('half');
if (part === 'device') tell({ what: 'Checked', found: 'webgpu', provider: 'webgpu', small: true });
else if (!again) tell({ what: 'Provider', found: `${word('--provider')}${small}`, right: part !== 'tiny' });
if (part === 'mini') {
  appendFileSync(file, '{"what":"half a li');
  process.kill(process.pid, 'SIGKILL');
}
if (part === 'picture') {
  process.stderr.write('DXGI_ERROR_DEVICE_REMOVED\n');
  process.exitCode = 1;
}
if (part === 'sd1') hang();
if (part === 'sd2') {
  tell({ what: `sd2, ${again ? 'second' : 'first'} half`, found: 'right', right: true });
  if (!again) hang();
}
