/**
 * `npm start`: opens the studio's window; where Electron's binary or a display is missing it says so and serves the same studio to the
 * browser.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = electronBinary();
const missing = whatIsMissing();
if (missing) {
  console.error(`${missing}, so the studio is served to the browser; open the address below.`);
  run(process.execPath, path.join(root, 'dist/likeness.js'), 'serve', ...process.argv.slice(2));
} else run(binary, path.join(root, 'dist/main.js'));

function whatIsMissing() {
  if (!fs.existsSync(binary)) return 'Electron is not installed here ("npx install-electron" fetches it)';
  const display = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  return process.platform === 'linux' && !display ? 'There is no display here' : undefined;
}

/** Where Electron's package keeps its binary once it has been fetched. */
function electronBinary() {
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(root, 'node_modules/electron/dist');
  const names = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
  return path.join(folder, names[process.platform] ?? 'electron');
}

function run(program, ...words) {
  const child = spawn(program, words, { stdio: 'inherit', cwd: root });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 130 : (code ?? 1);
  });
}
