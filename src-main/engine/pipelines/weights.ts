import { expectTensor, type Weights } from '../checkpoints/weights.ts';
import type { Model } from '../checkpoints/model.ts';
import { leaves, type Graph } from '../graph/graph.ts';
import type { FileTensor, HostTensor } from '../tensor/tensor.ts';

/** Where the weight of that name ("unet.conv_in.weight") is; undefined where every run must be fed it. */
export type WeightLookup = (name: string) => FileTensor | HostTensor | undefined;

/** The root scope of each of a model's networks. */
export const partNames = {
  ...{ unet: 'unet', vae: 'vae', textEncoder: 'text_encoder', textEncoder2: 'text_encoder_2' },
} as const;

/**
 * The stored weight of every parameter of `graph`, except those in `own` or named by `fed`. Errors: `tensor.missing`,
 * `tensor.shape`, `tensor.type`.
 */
export function storedWeights(
  graph: Graph,
  model: Pick<Model, keyof typeof partNames>,
  own: WeightLookup = () => undefined,
  fed: (name: string) => boolean = () => false,
): WeightLookup {
  const parts = new Map<string, Weights>(
    Object.entries(partNames).flatMap(([key, name]) => {
      const part = model[key as keyof typeof partNames];
      return part ? [[name, part.weights] as const] : [];
    }),
  );
  const found = new Map<string, FileTensor | HostTensor>();
  for (const [name, { shape }] of leaves(graph, 'parameter')) {
    if (fed(name)) continue;
    const [part, ...rest] = name.split('.');
    const weights = parts.get(part ?? '');
    const stored = own(name) ?? (weights && expectTensor(weights, rest.join('.'), shape));
    if (stored) found.set(name, stored);
  }
  return (name) => found.get(name);
}

/** The stored weight of every parameter of `graph`, from the file of one part alone: the names in it lack the part. Errors: `tensor.*`. */
export function partWeights(
  graph: Graph,
  weights: Weights,
  own: (name: string) => HostTensor | undefined = () => undefined,
): (name: string) => FileTensor | HostTensor | undefined {
  const found = new Map<string, FileTensor | HostTensor>();
  for (const [name, { shape }] of leaves(graph, 'parameter')) {
    const stored = name.slice(name.indexOf('.') + 1);
    found.set(name, own(stored) ?? expectTensor(weights, stored, shape));
  }
  return (name) => found.get(name);
}
