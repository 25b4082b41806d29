/**
 * `npm run gpu-check`: the command `likeness gpu-check`, whose words follow `--`. With `--pack FILE` it makes an archive instead, which
 * checks a machine that has a driver and Node and nothing else: unpack it, then `node gpu-check.mjs`. `--for linux-x64` (or linux-arm64,
 * win32-x64, win32-arm64, darwin-arm64) makes it for another machine than this one.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';

const root = path.resolve(import.meta.dirname, '../..');
const words = process.argv.slice(2);

/** What a mail or an upload takes. */
const megabytesAtMost = 60;

/** The archive's one command: `likeness gpu-check`. */
const starter = `import { fileURLToPath } from 'node:url';
process.argv.splice(1, 1, fileURLToPath(new URL('dist/likeness.js', import.meta.url)), 'gpu-check');
await import('./dist/likeness.js');
`;

if (!words.some((word) => word.startsWith('--pack'))) {
  const { status } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/likeness.js'), 'gpu-check', ...words],
    {
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
} else {
  try {
    await pack(
      parseArgs({ args: words, options: { pack: { type: 'string' }, for: { type: 'string' } } }).values,
    );
  } catch (error) {
    console.error(`No archive was made: ${error.message}`);
    process.exitCode = 1;
  }
}

async function pack({ pack: file, for: machine = `${process.platform}-${process.arch}` }) {
  const runtime = path.join(root, 'node_modules/onnxruntime-node');
  const libraries = path.join('bin/napi-v6', ...machine.split('-'));
  if (!fs.existsSync(path.join(runtime, libraries)))
    throw new Error(
      `ONNX Runtime has no libraries for "${machine}"; linux-x64 and win32-x64 are two that it has.`,
    );
  const folder = fs.mkdtempSync(path.join(root, 'dist/gpu-check-'));
  try {
    await bundle(folder);
    const copy = (from, to) => fs.cpSync(from, path.join(folder, to), { recursive: true });
    const modules = 'node_modules/onnxruntime-node';
    for (const part of ['package.json', 'dist', libraries])
      copy(path.join(runtime, part), path.join(modules, part));
    copy(path.join(root, 'node_modules/onnxruntime-common'), 'node_modules/onnxruntime-common');
    copy(path.join(root, 'models/likeness-mini'), 'models/likeness-mini');
    for (const picture of ['sheet.jpg', 'subjects.jpg', 'unseen.jpg'])
      fs.rmSync(path.join(folder, 'models/likeness-mini', picture), { force: true });
    for (const unused of ['scorer', 'places'])
      fs.rmSync(path.join(folder, 'models/likeness-mini', unused), { recursive: true, force: true });
    for (const part of ['unet', 'vae'])
      roundWeights(path.join(folder, 'models/likeness-mini', part, 'diffusion_pytorch_model.safetensors'));
    copy(path.join(root, 'LICENSE'), 'LICENSE');
    const { name, version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version, type: 'module' }));
    fs.writeFileSync(path.join(folder, 'gpu-check.mjs'), starter);
    await archive(folder, file);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  const megabytes = fs.statSync(file).size / 1e6;
  if (megabytes > megabytesAtMost)
    throw new Error(
      `${file} has ${megabytes.toFixed(1)} MB, more than the ${megabytesAtMost} that are allowed.`,
    );
  console.log(
    `${file}: ${megabytes.toFixed(1)} MB, for ${machine}. There: unpack it, then node gpu-check.mjs`,
  );
}

/**
 * Rounds f16 weights in place to 6 of their 10 bits of mantissa, so that a quarter of them packs away. The check compares a GPU with the CPU,
 * and both compute with the same weights.
 */
function roundWeights(file) {
  const bytes = fs.readFileSync(file);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  for (let at = begin; at < bytes.length; at += 2)
    bytes.writeUInt16LE((bytes.readUInt16LE(at) + 8) & 0xfff0, at);
  fs.writeFileSync(file, bytes);
}

/** The command line and the packages that it is written with in one bundle; those with libraries of their own stay outside. */
async function bundle(folder) {
  const { build } = await import('esbuild');
  await build({
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'esm', splitting: true, minify: true },
    ...{ absWorkingDir: root, logLevel: 'error', outdir: path.join(folder, 'dist') },
    entryPoints: { likeness: path.join(root, 'src-main/cli/start.ts') },
    chunkNames: 'chunks/[name]-[hash]',
    external: ['onnxruntime-node', 'sharp', 'better-sqlite3', 'libheif-js', 'chokidar', 'electron'],
    // CommonJS packages ask for Node's own modules.
    banner: {
      js: "import { createRequire as __makeRequire } from 'node:module'; const require = __makeRequire(import.meta.url);",
    },
  });
}

/** A .tar.gz, which Windows' own tar opens too. */
async function archive(folder, file) {
  const { pack: tarball } = await import('tar-stream');
  const tar = tarball();
  const written = pipeline(tar, createGzip({ level: 9 }), fs.createWriteStream(file));
  for (const name of fs.readdirSync(folder, { recursive: true }).sort()) {
    const from = path.join(folder, name);
    if (!fs.statSync(from).isFile()) continue;
    const place = `likeness-gpu-check/${name.split(path.sep).join('/')}`;
    const { mode } = fs.statSync(from);
    await new Promise((done, failed) => {
      tar.entry({ name: place, mode: mode & 0o777 }, fs.readFileSync(from), (error) =>
        error ? failed(error) : done(),
      );
    });
  }
  tar.finalize();
  await written;
}
