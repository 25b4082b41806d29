/**
 * Debian's Chromium for the tests of the window, where none is installed and nobody need be asked for a password (containers, CI). Where
 * it cannot be had, those tests are skipped and say why.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const installed = ['chromium', 'chromium-browser', 'google-chrome', 'microsoft-edge'].some((name) =>
  fs.existsSync(`/usr/bin/${name}`),
);

export function installBrowser() {
  const may = process.getuid?.() === 0 && fs.existsSync('/etc/debian_version');
  if (installed || !may || process.env.LIKENESS_BROWSER) return;
  console.log('Installing Chromium for the tests of the window …');
  const run = (...words) =>
    spawnSync('apt-get', words, {
      stdio: 'ignore',
      timeout: 600_000,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  if (!run('update') || !run('install', '-y', '--no-install-recommends', 'chromium'))
    console.log('Chromium could not be installed.');
}
