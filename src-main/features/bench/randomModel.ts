import { join } from 'node:path';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { isFile, makeFolder } from '../../engine/checkpoints/files.ts';
import type { Model, ModelPart } from '../../engine/checkpoints/model.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { Weights } from '../../engine/checkpoints/weights.ts';
import { joined, writeSafetensors, type Joined } from '../../engine/checkpoints/writeSafetensors.ts';
import { parseClipTextConfig, parseUNetConfig, parseVaeConfig } from '../../engine/models/parseConfig.ts';
import { TorchGenerator } from '../../engine/tensor/random.ts';
import { elementCount, type HostTensor, type Shape } from '../../engine/tensor/tensor.ts';
import { input } from '../../engine/graph/build.ts';
import { vaeDecode, vaeEncode } from '../../engine/models/vae.ts';
import { buildPart } from '../../engine/training/loss/parameters.ts';
import { Scope } from '../../engine/nn/scope.ts';
import type { ShapeConfigs } from './shapes.ts';

/**
 * A U-Net and a text encoder with random f32 weights (no VAE), in a file below `cache`, as a real model's are. It is written once
 * and then reused. Errors: `file.unwritable`.
 */
export function randomModel(
  name: string,
  { unet, textEncoder }: ShapeConfigs,
  cache: string,
  onWrite: (file: string, parameters: number) => void,
): Model {
  const folder = join(cache, 'bench');
  const empty = modelOfShape(name, { unet, textEncoder }, folder);
  const shapes = new Map<string, Shape>();
  for (const of of ['unet', 'text_encoder'] as const)
    buildPart(empty, of)(Scope.root(of, { onWeight: (weight, shape) => void shapes.set(weight, shape) }));

  const file = writtenOnce(folder, name, shapes, onWrite);
  const { tensors } = readSafetensors(file);
  const weightsOf = (prefix: string): Weights =>
    new Weights(
      file,
      new Map(
        [...tensors].flatMap(([weight, entry]) =>
          weight.startsWith(prefix) ? [[weight.slice(prefix.length), entry] as const] : [],
        ),
      ),
    );
  return {
    ...empty,
    unet: { ...empty.unet, weights: weightsOf('unet.') },
    textEncoder: { ...empty.textEncoder, weights: weightsOf('text_encoder.') },
  };
}

/** The model with a VAE of random weights, in a file of its own. Errors: `file.unwritable`. */
export function withRandomVae(
  model: Model,
  vae: ShapeConfigs['unet'],
  cache: string,
  onWrite: (file: string, parameters: number) => void,
): Model {
  const config = parseVaeConfig(vae, 'vae');
  const shapes = new Map<string, Shape>();
  const scope = Scope.root('', { onWeight: (weight, shape) => void shapes.set(weight.slice(1), shape) });
  const side = 2 ** config.block_out_channels.length;
  vaeDecode(scope, input('latents', [1, config.latent_channels, side, side]), config);
  vaeEncode(scope, input('image', [1, config.in_channels, side, side]), config);
  const file = writtenOnce(join(cache, 'bench'), 'vae', shapes, onWrite);
  return {
    ...model,
    vae: { config, configText: '', weights: new Weights(file, readSafetensors(file).tensors) },
  };
}

/** A file below `folder` with random weights of these shapes; its name is a hash of the shapes. */
function writtenOnce(
  folder: string,
  name: string,
  shapes: ReadonlyMap<string, Shape>,
  onWrite: (file: string, parameters: number) => void,
): string {
  const content = sha256(JSON.stringify([...shapes]), 8);
  const file = join(folder, `${name}-${content}.safetensors`);
  if (isFile(file)) return file;
  makeFolder(folder);
  onWrite(
    file,
    [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0),
  );
  const make = randomWeights();
  writeSafetensors(
    file,
    [...shapes].map(([weight, shape]) => ({ name: weight, tensor: make(weight, shape) })),
  );
  return file;
}

/** A model with configurations but no weights: its graphs can be built and examined. */
export function modelOfShape(name: string, { unet, textEncoder }: ShapeConfigs, folder = ''): Model {
  const part = <C>(config: C, tensors = new Map<string, never>()): ModelPart<C> => ({
    config,
    configText: '',
    weights: new Weights(folder, tensors),
  });
  return {
    path: folder,
    kind: 'diffusers',
    unet: part(parseUNetConfig(unet, name)),
    vae: part(parseVaeConfig({}, name)),
    textEncoder: part(parseClipTextConfig(textEncoder, name)),
    scheduler: {
      _class_name: 'PNDMScheduler',
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
    },
    tokenizer: undefined,
  };
}

/** A prime, so that rows of a matrix differ. */
const blockLength = 65_521;

/**
 * Makes weights that keep activations finite: norms scale by one, biases are zero, the rest has variance 1/fan-in. One
 * random block is laid end to end: real random numbers for half a billion weights would take longer than the bench.
 */
function randomWeights(): (name: string, shape: Shape) => Joined {
  const block = new TorchGenerator(0).rand([blockLength]).map((x) => (2 * x - 1) * Math.sqrt(3));
  const filled = new Map<string, Float32Array>();
  const blockOf = (name: string, shape: Shape): Float32Array => {
    const vector = shape.length === 1;
    const constant = vector ? Number(name.endsWith('.weight')) : undefined;
    const scale = 1 / Math.sqrt(elementCount(shape.slice(1)));
    const key = `${constant ?? 'random'} ${scale}`;
    const known = filled.get(key) ?? block.map((x) => constant ?? x * scale);
    filled.set(key, known);
    return known;
  };
  return (name, shape) => {
    const data = blockOf(name, shape);
    const parts: HostTensor<'f32'>[] = [];
    for (let left = elementCount(shape); left > 0; left -= blockLength) {
      const piece = left < blockLength ? data.subarray(0, left) : data;
      parts.push({ dtype: 'f32', shape: [piece.length], data: piece });
    }
    return joined(parts, shape);
  };
}
