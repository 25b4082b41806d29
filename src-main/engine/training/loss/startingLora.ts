import { z } from 'zod';
import { problem } from '../../../../src-shared/messages/index.ts';
import { fitWholeLora, someOf } from '../../checkpoints/lora/fitLora.ts';
import { readLora } from '../../checkpoints/lora/readLora.ts';
import type { LoraAdapter } from '../../checkpoints/lora/weightChanges.ts';
import type { Model } from '../../checkpoints/model.ts';
import { f32, type Shape } from '../../tensor/tensor.ts';
import type { Part, TrainedLora } from './trainedLora.ts';

/** A LoRA that training goes on from, module by module. */
export interface LoraStart {
  /** Errors: `lora.startUnfit` where the file has nothing for the module, or something of another size. */
  take(part: Part, module: string, shape: Shape): LoraAdapter;
  /** Call it when all is taken. Errors: `lora.startLeft` where some of the file was left. */
  refuseLeft(): void;
}

/** Errors: `lora.startWords`, `lora.startMethod` for what no pair of matrices says, those of `readLora` and `fitWholeLora`. */
export function startFrom(file: string, model: Model): LoraStart {
  const lora = readLora(file);
  const [word] = lora.embeddings.keys();
  if (word !== undefined) throw problem('lora.startWords', { file, word });
  const { adapters, changes } = fitWholeLora(lora, model);
  const [change] = changes;
  if (change)
    throw problem('lora.startMethod', {
      file,
      method: [...new Set(changes.map(({ method }) => method))].join(' and '),
      module: `${change.part}.${change.module}`,
    });
  const left = new Set(adapters);
  return {
    take: (part, module, shape) => {
      const found = adapters.find((adapter) => adapter.part === part && adapter.module === module);
      const fits = found?.A.shape.slice(1).join() === shape.slice(1).join() && found.B.shape[0] === shape[0];
      if (!found || !fits) throw problem('lora.startUnfit', { file, module: `${part}.${module}` });
      left.delete(found);
      return found;
    },
    refuseLeft: () => {
      if (left.size === 0) return;
      const names = [...left].map(({ part, module }) => `${part}.${module}`);
      throw problem('lora.startLeft', { file, left: someOf(names), how: optionsFor(adapters) });
    },
  };
}

/** What a worker is told of the LoRA that its run starts from; the values come with every step. */
export const toldStartType = z
  .array(
    z.strictObject({
      part: z.enum(['unet', 'text_encoder']),
      module: z.string().max(300),
      rank: z.int().min(1).max(1024),
      scale: z.number(),
    }),
  )
  .max(10_000);
export type ToldStart = z.output<typeof toldStartType>;

/** What to tell of a run's LoRA. */
export function startToTell(
  loras: readonly { readonly part: Part; readonly lora: TrainedLora }[],
): ToldStart {
  return loras.flatMap(({ part, lora }) =>
    [...lora.adapters].flatMap(([module, adapters]) =>
      adapters.map(({ rank, scale }) => ({ part, module, rank, scale })),
    ),
  );
}

/** Matrices of zeros in the sizes that were told. Errors: `lora.startUnfit`. */
export function startTold(told: ToldStart): LoraStart {
  return {
    take: (part, module, [outputs = 0, ...inputs]) => {
      const found = told.find((one) => one.part === part && one.module === module);
      if (!found) throw problem('lora.startUnfit', { file: 'the run', module: `${part}.${module}` });
      const { rank, scale } = found;
      const A = f32([rank, ...inputs]);
      const B = f32([outputs, rank, ...inputs.slice(1).map(() => 1)]);
      return { part, module, rank, alpha: scale * rank, A, B };
    },
    refuseLeft: () => undefined,
  };
}

/** The options with which a run trains all that a LoRA has: "--targets to_k,to_q --text-targets q_proj". */
function optionsFor(adapters: readonly LoraAdapter[]): string {
  const targets = (part: Part): string =>
    [...new Set(adapters.filter((one) => one.part === part).map(({ module }) => lastName(module)))]
      .sort()
      .join(',');
  const [unet, text] = [targets('unet'), targets('text_encoder')];
  return [
    ...(unet ? [`--targets ${unet}`] : []),
    ...(text ? [`--text-targets ${text}`] : ['--no-text-encoder']),
  ].join(' ');
}

/** A module's name as a target: `to_q`, `to_out.0`, `net.0.proj`. */
function lastName(module: string): string {
  return /(?:[^.]+\.\d+\.)?[^.]+(?:\.\d+)?$/.exec(module)?.[0] ?? module;
}
