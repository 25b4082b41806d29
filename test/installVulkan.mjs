/**
 * Mesa's lavapipe for the device tests: a Vulkan driver in software that has the subgroup features of real graphics cards, unpacked
 * into node_modules/.cache; the system's own drivers stay as they are. Debian 12's is too old for WebGPU, so there it comes from the
 * backports. Where it can't be had, the tests that want it are skipped and say so.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const lavapipeFolder = path.resolve(import.meta.dirname, '../node_modules/.cache/lavapipe');
const library = path.join(lavapipeFolder, 'root/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so');
export const lavapipeDriver = path.join(lavapipeFolder, 'lavapipe.json');

const run = (tool, words, cwd) =>
  spawnSync(tool, words, {
    ...{ cwd, encoding: 'utf8', timeout: 300_000 },
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });

export function installVulkan() {
  if (fs.existsSync(lavapipeDriver) || process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES) return;
  const release = fs.existsSync('/etc/os-release') ? fs.readFileSync('/etc/os-release', 'utf8') : '';
  if (process.arch !== 'x64' || !/^(ID|ID_LIKE)=.*debian/m.test(release)) return;
  console.log('Fetching lavapipe for the tests of graphics devices …');
  try {
    unpack(/^VERSION_CODENAME=(\w+)/m.exec(release)?.[1]);
  } catch (error) {
    console.log(`lavapipe could not be had: ${error.message}`);
  }
}

function unpack(codename) {
  fs.mkdirSync(path.join(lavapipeFolder, 'lists/partial'), { recursive: true });
  const apt = codename === 'bookworm' ? backports() : [];
  for (const words of [['update'], ['download', 'mesa-vulkan-drivers']]) {
    // As root the system's own lists are there to be brought up to date; nobody else may, or need.
    if (words[0] === 'update' && !apt.length && process.getuid?.() !== 0) continue;
    const { status, stderr } = run('apt-get', [...apt, ...words], lavapipeFolder);
    if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  }
  const archive = fs.readdirSync(lavapipeFolder).find((name) => name.endsWith('.deb'));
  run('dpkg', ['-x', archive, 'root'], lavapipeFolder);
  fs.rmSync(path.join(lavapipeFolder, archive));
  fs.rmSync(path.join(lavapipeFolder, 'lists'), { recursive: true });
  // What it links to, for the system's package manager to bring: LLVM above all.
  if (missing() && process.getuid?.() === 0)
    run('apt-get', ['install', '-y', '--no-install-recommends', 'libvulkan1', 'mesa-vulkan-drivers']);
  if (missing()) throw new Error(missing());
  const driver = { ICD: { api_version: '1.4.305', library_path: library }, file_format_version: '1.0.0' };
  fs.writeFileSync(lavapipeDriver, JSON.stringify(driver));
}

/** Lists of the backports alone, in our folder, from where this machine has the release itself. */
function backports() {
  const source = path.join(lavapipeFolder, 'backports.list');
  const { stdout } = run('apt-get', [
    'indextargets',
    '--format',
    '$(RELEASE) $(SITE)',
    'Created-By: Packages',
  ]);
  const site = /^bookworm (\S+)$/m.exec(stdout)?.[1];
  if (!site) throw new Error('apt knows no place of Debian bookworm');
  fs.writeFileSync(source, `deb ${site} bookworm-backports main\n`);
  return [
    ...['-o', `Dir::Etc::sourcelist=${source}`, '-o', 'Dir::Etc::sourceparts=-'],
    ...['-o', `Dir::State::lists=${path.join(lavapipeFolder, 'lists')}`, '-o', 'APT::Sandbox::User=root'],
    ...['-o', `Dir::Cache::pkgcache=`, '-o', `Dir::Cache::srcpkgcache=`],
  ];
}

/** The libraries that lavapipe wants and the system has not. */
function missing() {
  const { stdout } = run('ldd', [library]);
  return stdout
    .split('\n')
    .filter((line) => line.includes('not found'))
    .map((line) => line.trim())
    .join(', ');
}
