import { problem } from '../../../../src-shared/messages/index.ts';
import { elementCount, sameShape, type Shape, type FileTensor } from '../../tensor/tensor.ts';
import { weightsOf, type Model, type TrainableNetworks } from '../model.ts';
import { loraModules } from '../names/loraModules.ts';
import type { Lora } from './readLora.ts';
import type { LoraAdapter, WeightChange } from './weightChanges.ts';

/** A change and the tensor that it changes. */
export interface FittedChange extends WeightChange {
  readonly base: FileTensor;
}

/** A LoRA fitted to one model. */
export interface FittedLora {
  readonly adapters: readonly LoraAdapter[];
  readonly changes: readonly FittedChange[];
  /** The names of what is left out because the model has no place for it. */
  readonly unmatched: readonly string[];
}

/**
 * The adapters and changes whose module the model has, in that module's name and layout, and the names of those it has not.
 * Errors: `lora.otherModel` where a module is of another size or none is there.
 */
export function fitLora(lora: Lora, model: TrainableNetworks): FittedLora {
  const unmatched = [...lora.unmatched];
  const adapters: LoraAdapter[] = [];
  const changes: FittedChange[] = [];
  const find = loraModules(model);
  const otherModel = (why: string): Error =>
    problem('lora.otherModel', { file: lora.path, model: model.unet.weights.source, why });
  const place = (name: LoraAdapter | WeightChange, tensor: string) => {
    const module = find(name);
    const base = module === undefined ? undefined : weightsOf(model, name.part).get(`${module}.${tensor}`);
    if (!base) unmatched.push(`${name.part}.${name.module}`);
    return base && module !== undefined ? { module, base } : undefined;
  };
  for (const adapter of lora.adapters) {
    const found = place(adapter, 'weight');
    if (!found) continue;
    const fitted = inLayoutOf(found.base.shape, adapter);
    if (!fitted) throw otherModel(otherSize(adapter.module, found.base.shape, sizesOf(adapter)));
    adapters.push({ ...fitted, module: found.module });
  }
  for (const change of lora.changes) {
    const found = place(change, change.tensor);
    if (!found) continue;
    if (elementCount(found.base.shape) !== change.count)
      throw otherModel(otherSize(change.module, found.base.shape, [change.count]));
    changes.push({ ...change, ...found });
  }
  const wordsAlone = lora.adapters.length + lora.changes.length === 0 && lora.embeddings.size > 0;
  if (!adapters.length && !changes.length && !wordsAlone) throw otherModel('none of its modules are there');
  return { adapters, changes, unmatched };
}

const otherSize = (module: string, wanted: Shape, found: Shape): string =>
  `"${module}" is ${wanted.join('×')} in the model, and the LoRA changes ${found.join('×')}`;

/** Output and input sizes of the weight that an adapter is for. */
const sizesOf = ({ A, B }: LoraAdapter): number[] => [B.shape[0] as number, ...A.shape.slice(1)];

/** Some tools store the matrices of a 1×1 convolution without its last two axes, or a Linear's with them. */
function inLayoutOf(target: Shape, adapter: LoraAdapter): LoraAdapter | undefined {
  const { A, B, rank } = adapter;
  const [outputs, ...inputs] = target;
  const shapeA = [rank, ...inputs];
  const shapeB = [outputs as number, rank, ...(target.length === 4 ? [1, 1] : [])];
  if (target.length < 2 || !sameSizes(shapeA, A.shape) || !sameSizes(shapeB, B.shape)) return undefined;
  return { ...adapter, A: { ...A, shape: shapeA }, B: { ...B, shape: shapeB } };
}

function sameSizes(a: Shape, b: Shape): boolean {
  const sizes = (shape: Shape) => shape.filter((size, axis) => axis < 2 || size !== 1);
  return sameShape(sizes(a), sizes(b));
}

/** The same, where all of it must fit: half a LoRA draws another picture. Errors: `lora.partly`, those of `fitLora`. */
export function fitWholeLora(lora: Lora, model: Model): FittedLora {
  const fitted = fitLora(lora, model);
  if (fitted.unmatched.length)
    throw problem('lora.partly', { file: lora.path, model: model.path, left: someOf(fitted.unmatched) });
  return fitted;
}

/** The first three names and how many more. */
export function someOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}
