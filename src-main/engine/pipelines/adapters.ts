import type { FittedChange } from '../checkpoints/lora/fitLora.ts';
import type { LoraAdapter } from '../checkpoints/lora/weightChanges.ts';
import { changedWeight } from '../checkpoints/lora/mergeLora.ts';
import { loraName, type Adapter } from '../nn/scope.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import type { WeightLookup } from './weights.ts';

/** A LoRA's adapters (those that fit the model) and how strongly it is applied; 1 is as trained. */
export interface WeightedLora {
  readonly adapters: readonly LoraAdapter[];
  /** Changes that can't stand beside a weight as matrices: they are added into it. */
  readonly changes?: readonly FittedChange[];
  readonly weight: number;
}

/** Adapters for a Scope, and the matrices they will ask for. */
export interface BoundAdapters {
  readonly adapters: ReadonlyMap<string, readonly Adapter[]>;
  readonly matrices: WeightLookup;
}

/** Combines any number of LoRAs; one of weight 0 is left out. */
export function bindLoras(loras: readonly WeightedLora[]): BoundAdapters {
  const adapters = new Map<string, Adapter[]>();
  const matrices = new Map<string, HostTensor>();
  const changed = new Map<string, { change: FittedChange; weight: number }[]>();
  for (const [index, lora] of loras.entries()) {
    if (lora.weight === 0) continue;
    for (const { part, module, rank, alpha, A, B } of lora.adapters) {
      const name = `lora${index}`;
      const adapter: Adapter = { name, rank, scale: (lora.weight * alpha) / rank };
      const place = `${part}.${module}`;
      adapters.set(place, [...(adapters.get(place) ?? []), adapter]);
      matrices.set(`${place}.${loraName('A', name)}`, A);
      matrices.set(`${place}.${loraName('B', name)}`, B);
    }
    for (const change of lora.changes ?? []) {
      const name = `${change.part}.${change.module}.${change.tensor}`;
      changed.set(name, [...(changed.get(name) ?? []), { change, weight: lora.weight }]);
    }
  }
  return {
    adapters,
    matrices: (name) => {
      const changes = changed.get(name);
      return changes ? changedWeight(changes) : matrices.get(name);
    },
  };
}
