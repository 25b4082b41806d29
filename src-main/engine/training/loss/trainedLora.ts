import type { LoraSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { LoraAdapter } from '../../checkpoints/lora/weightChanges.ts';
import type { Adapter } from '../../nn/scope.ts';
import { loraName, Scope } from '../../nn/scope.ts';
import type { TorchGenerator } from '../../tensor/random.ts';
import { elementCount, f32, leadingDims, type HostTensor, type Shape } from '../../tensor/tensor.ts';

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
  /** For the network's Scope. */
  readonly adapters: Map<string, readonly Adapter[]>;
  /** Start values of A and B by parameter name. */
  readonly values: Map<string, HostTensor<'f32'>>;
}

/** Fresh adapters: A Kaiming-uniform with a = √5, that is U(±1/√fan-in), B zero (Hu et al. 2021; PEFT's default). */
export function freshLora(
  part: Part,
  modules: ReadonlyMap<string, Shape>,
  { rank, alpha }: LoraSettings,
  generator: TorchGenerator,
): TrainedLora {
  const started = [...modules].map(([module, shape]): LoraAdapter => {
    const [outputs, inputs, ...kernel] = leadingDims(shape);
    const bound = 1 / Math.sqrt(inputs * elementCount(kernel));
    const a = [rank, inputs, ...kernel];
    const A: HostTensor<'f32'> = {
      dtype: 'f32',
      shape: a,
      data: generator.rand(a).map((x) => (2 * x - 1) * bound),
    };
    return { part, module, rank, alpha, A, B: f32([outputs, rank, ...kernel.map(() => 1)]) };
  });
  return trainedLora(started);
}

/** Adapters read from a file, to be trained on. */
export function trainedLora(adapters: readonly LoraAdapter[]): TrainedLora {
  return {
    adapters: new Map(
      adapters.map(({ module, rank, alpha }) => [module, [{ name: adapterName, rank, scale: alpha / rank }]]),
    ),
    values: new Map(
      adapters.flatMap(({ part, module, A, B }) => [
        [parameterName(part, module, 'A'), A] as const,
        [parameterName(part, module, 'B'), B] as const,
      ]),
    ),
  };
}

/** The adapters of one network with their present values. */
export function finishedLora(
  part: Part,
  { adapters }: TrainedLora,
  value: (name: string) => HostTensor<'f32'>,
): LoraAdapter[] {
  return [...adapters].map(([module, [adapter]]) => {
    const { rank, scale } = adapter as Adapter;
    const matrix = (which: 'A' | 'B'): HostTensor<'f32'> => value(parameterName(part, module, which));
    return { part, module, rank, alpha: scale * rank, A: matrix('A'), B: matrix('B') };
  });
}

function parameterName(part: Part, module: string, matrix: 'A' | 'B'): string {
  return `${part}.${module}.${loraName(matrix, adapterName)}`;
}
