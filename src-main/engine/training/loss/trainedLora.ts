import type { LoraSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { LoraAdapter, StoredAdapter } from '../../checkpoints/lora/weightChanges.ts';
import { adapterShapes } from '../../nn/adapters.ts';
import {
  adapterTensors,
  loraName,
  Scope,
  tensorEntries,
  type Adapter,
  type AdapterMethod,
  type AdapterTensor,
} from '../../nn/scope.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import { elementCount, f32, type HostTensor, type Shape } from '../../tensor/tensor.ts';

export type Part = LoraAdapter['part'];

/** The name new adapters have inside a graph; PEFT's own default. */
const adapterName = 'default';

/** A network's targeted Linears and Convs with the shapes of their weights. Errors: `lora.target`. */
export function targetedModules(
  part: Part,
  build: (scope: Scope) => unknown,
  targets: readonly string[],
): Map<string, Shape> {
  const modules = new Map<string, Shape>();
  build(
    Scope.root(part, {
      onWeight: (name, shape) => {
        const adaptable =
          name.endsWith('.weight') && !name.endsWith('_embedding.weight') && shape.length !== 1;
        if (adaptable) modules.set(name.slice(part.length + 1, -'.weight'.length), shape);
      },
    }),
  );
  const chosen = [...modules].filter(([module]) =>
    targets.some((target) => module === target || module.endsWith(`.${target}`)),
  );
  const missed = targets.find(
    (target) => !chosen.some(([module]) => module === target || module.endsWith(`.${target}`)),
  );
  if (missed !== undefined) throw problem('lora.target', { target: missed, part });
  return new Map(chosen);
}

export interface TrainedLora {
  /** For the network's Scope, by full module name. */
  readonly adapters: Map<string, readonly Adapter[]>;
  /** Start values of A and B by parameter name. */
  readonly values: Map<string, HostTensor<'f32'>>;
}

/**
 * Fresh adapters that change nothing yet, as PEFT makes them: one matrix zero (LoRA's and DoRA's B, LoHa's second b, LoKr's first),
 * the others Kaiming-uniform with a = √5, that is U(±1/√fan-in); DoRA's magnitudes those of the weights' rows, which `weightOf` gives.
 */
export function freshLora(
  part: Part,
  modules: ReadonlyMap<string, Shape>,
  { rank, alpha }: Pick<LoraSettings, 'rank' | 'alpha'>,
  generator: TorchGenerator,
  method: AdapterMethod = 'lora',
  weightOf?: (module: string, shape: Shape) => HostTensor<'f32'>,
): TrainedLora {
  const started = [...modules].map(([module, shape]): StoredAdapter => {
    const tensors = tensorEntries(adapterShapes(method, shape, rank)).map(([name, own]) => {
      if (name === 'magnitude') return [name, rowNorms(weightOf?.(module, shape) ?? f32(shape))] as const;
      return [name, zero[method] === name ? f32(own) : uniform(own, generator)] as const;
    });
    return { part, module, method, rank, alpha, tensors: Object.fromEntries(tensors) };
  });
  return trainedLora(started);
}

const zero: Readonly<Record<AdapterMethod, AdapterTensor>> = {
  ...{ lora: 'B', dora: 'B', loha: 'hada_w2_b', lokr: 'lokr_w1' },
};

function uniform(shape: Shape, generator: TorchGenerator): HostTensor<'f32'> {
  const [, ...others] = shape;
  const bound = 1 / Math.sqrt(elementCount(others));
  return { dtype: 'f32', shape, data: generator.rand([...shape]).map((x) => (2 * x - 1) * bound) };
}

function rowNorms({ shape, data }: HostTensor<'f32'>): HostTensor<'f32'> {
  const rows = shape[0] ?? 1;
  const columns = data.length / rows;
  const norms = Array.from({ length: rows }, (_, row) =>
    Math.hypot(...data.subarray(row * columns, (row + 1) * columns)),
  );
  return f32([rows], norms);
}

/** Adapters read from a file, to be trained on. */
export function trainedLora(adapters: readonly StoredAdapter[]): TrainedLora {
  return {
    adapters: new Map(
      adapters.map(({ part, module, rank, alpha, method }) => [
        `${part}.${module}`,
        [{ name: adapterName, rank, scale: alpha / rank, ...(method !== 'lora' && { method }) }],
      ]),
    ),
    values: new Map(
      adapters.flatMap(({ part, module, tensors }) =>
        tensorEntries(tensors).map(([name, tensor]) => [parameterName(part, module, name), tensor] as const),
      ),
    ),
  };
}

/** The adapters of one network with their present values. */
export function finishedLora(
  part: Part,
  { adapters, values }: TrainedLora,
  value: (name: string) => HostTensor<'f32'>,
): StoredAdapter[] {
  return [...adapters].map(([name, [adapter]]) => {
    const module = name.slice(part.length + 1);
    const { rank, scale, method = 'lora' } = adapter as Adapter;
    const names = adapterTensors.filter((name) => values.has(parameterName(part, module, name)));
    const tensors = names.map((name) => [name, value(parameterName(part, module, name))] as const);
    return { part, module, method, rank, alpha: scale * rank, tensors: Object.fromEntries(tensors) };
  });
}

function parameterName(part: Part, module: string, tensor: AdapterTensor): string {
  return `${part}.${module}.${loraName(tensor, adapterName)}`;
}
