import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listPackage } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Where Electron keeps its fuses in its program, and how they say off and on (@electron/fuses). */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
const [isOff, isOn] = [0x30, 0x31];

const root = path.resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-package-'));
const app = path.join(scratch, 'release/linux-unpacked');
const resources = path.join(app, 'resources');

/** What a distribution of Electron has that packaging touches; its program is nothing but a wire of fuses, as they are from the maker. */
function standInDistribution(): string {
  const folder = path.join(scratch, 'electron');
  mkdirSync(path.join(folder, 'locales'), { recursive: true });
  const wire = Buffer.from([1, 9, ...Buffer.from('111001001')]);
  writeFileSync(path.join(folder, 'electron'), Buffer.concat([Buffer.from(sentinel), wire]), { mode: 0o755 });
  for (const name of ['version', 'LICENSE', 'LICENSES.chromium.html', 'chrome-sandbox', 'locales/en-US.pak'])
    writeFileSync(path.join(folder, name), '');
  return folder;
}

const isLinux = process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!isLinux)('npm run package -- --linux dir', () => {
  let inside: string[] = [];

  beforeAll(() => {
    execFileSync(process.execPath, ['src-main/scripts/setup.mjs', '--studio'], {
      cwd: root,
      stdio: 'ignore',
    });
    const words = [
      `--config.electronDist=${standInDistribution()}`,
      `--config.directories.output=${path.join(scratch, 'release')}`,
    ];
    execFileSync(process.execPath, ['src-main/scripts/package.mjs', '--linux', 'dir', ...words], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { ...process.env, npm_config_offline: 'true' },
    });
    inside = listPackage(path.join(resources, 'app.asar'), { isPack: false });
  }, 600_000);

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const unpacked = (): string[] =>
    readdirSync(path.join(resources, 'app.asar.unpacked'), { recursive: true, encoding: 'utf8' });

  it('has the bundles of this build and no others, and no sources of them', () => {
    expect(inside).toEqual(
      expect.arrayContaining([
        '/package.json',
        '/dist/main.js',
        '/dist/preload.cjs',
        '/dist/worker.js',
        '/dist/renderer/index.html',
      ]),
    );
    const { outputs } = JSON.parse(readFileSync(path.join(root, 'dist/outputs.json'), 'utf8')) as {
      outputs: string[];
    };
    const chunks = (names: string[]): string[] =>
      names
        .filter((name) => /chunks\/.*\.js$/.test(name))
        .map((name) => path.basename(name))
        .sort();
    expect(chunks(inside)).toEqual(chunks(outputs));
    expect(inside.filter((name) => /^\/(src-|test|models|\.cache|\.ci)/.test(name))).toEqual([]);
    expect(inside.filter((name) => /\.(map|ts)$/.test(name))).toEqual([]);
  });

  it('has the packages that run, and no tools', () => {
    const packages = new Set(
      inside.flatMap((name) => /^\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? []),
    );
    for (const name of [
      'better-sqlite3',
      'onnxruntime-node',
      'onnxruntime-common',
      'sharp',
      'chokidar',
      'zod',
    ])
      expect(packages).toContain(name);
    const { devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    // Types come along with packages that run, as protobufjs': their files do not.
    const tools = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
    for (const tool of tools) expect(packages).not.toContain(tool);
  });

  it('has every library that the system opens beside the asar, for this system alone', () => {
    const libraries = unpacked().filter((name) => /\.(node|so|dylib|dll)(\.[\d.]+)?$/.test(name));
    const has = (pattern: RegExp): boolean => libraries.some((name) => pattern.test(name));
    expect(has(/onnxruntime-node\/bin\/napi-v6\/linux\/x64\/onnxruntime_binding\.node$/)).toBe(true);
    expect(has(/libonnxruntime\.so/)).toBe(true);
    expect(has(/better-sqlite3\/build\/Release\/better_sqlite3\.node$/)).toBe(true);
    expect(has(/@img\/sharp-linux-x64\//)).toBe(true);
    expect(has(/@img\/sharp-libvips-linux-x64\//)).toBe(true);
    expect(libraries.filter((name) => /darwin|win32|arm64|musl/.test(name))).toEqual([]);
    const packed = inside.filter((name) => /\.(node|so|dylib|dll)(\.[\d.]+)?$/.test(name));
    for (const name of packed)
      expect(existsSync(path.join(resources, 'app.asar.unpacked', name)), name).toBe(true);
  });

  it('has the shipped model, the scorers and the sample where they are opened by their path', () => {
    for (const name of [
      'models/likeness-mini/model_index.json',
      'models/likeness-mini/unet/config.json',
      'models/likeness-mini/CREDITS.md',
      'resources/scorers/mobilenet-v2.safetensors',
      'resources/sample-subject/subject.json',
    ])
      expect(existsSync(path.join(resources, name)), name).toBe(true);
    expect(existsSync(path.join(resources, 'models/recipe'))).toBe(false);
  });

  it('sets the fuses: no Node by the side door, only its own asar, checked', async () => {
    const wire = await getCurrentFuseWire(path.join(app, 'likeness'));
    const off = [
      FuseV1Options.RunAsNode,
      FuseV1Options.EnableNodeOptionsEnvironmentVariable,
      FuseV1Options.EnableNodeCliInspectArguments,
      FuseV1Options.GrantFileProtocolExtraPrivileges,
    ];
    const on = [
      FuseV1Options.EnableCookieEncryption,
      FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
      FuseV1Options.OnlyLoadAppFromAsar,
    ];
    expect(off.map((fuse) => wire[fuse])).toEqual(off.map(() => isOff));
    expect(on.map((fuse) => wire[fuse])).toEqual(on.map(() => isOn));
  });

  it('is no larger than it must be: under 200 MB without Electron', () => {
    const sizeOf = (folder: string): number =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
        const stats = statSync(path.join(folder, name));
        return sum + (stats.isFile() ? stats.size : 0);
      }, 0);
    expect(sizeOf(resources)).toBeLessThan(200e6);
  });
});
