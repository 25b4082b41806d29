import type { HostTensor } from '../../tensor/tensor.ts';
import type { FittedChange, FittedLora } from './fitLora.ts';
import type { LoraAdapter } from './weightChanges.ts';
import { readF32, type Weights } from '../weights.ts';
import type { TensorSource } from '../writeSafetensors.ts';

/** An adapter and how strongly it is applied; 1 is as trained. */
export interface WeightedAdapter {
  readonly adapter: LoraAdapter;
  readonly weight: number;
}

/**
 * The weights that adapters of one part change, by tensor name, as W + Σ weight · (alpha / rank) · B·A in f32, computed when
 * written. Modules must exist in `weights` (see `fitLora`).
 */
export function mergeLora(weights: Weights, adapters: readonly WeightedAdapter[]): Map<string, TensorSource> {
  const byModule = new Map<string, WeightedAdapter[]>();
  for (const weighted of adapters) {
    const name = `${weighted.adapter.module}.weight`;
    byModule.set(name, [...(byModule.get(name) ?? []), weighted]);
  }
  const merged = new Map<string, TensorSource>();
  for (const [name, own] of byModule) {
    const entry = weights.get(name);
    if (!entry) throw new Error(`mergeLora: no tensor ${name}`);
    merged.set(name, { dtype: 'f32', shape: entry.shape, compute: () => withAdapters(readF32(entry), own) });
  }
  return merged;
}

/**
 * The same for whole files side by side, of any method: each change that is no pair of matrices is added as if it were alone, then the
 * pairs are.
 */
export function mergeFiles(
  weights: Weights,
  part: LoraAdapter['part'],
  files: readonly (Pick<FittedLora, 'adapters' | 'changes'> & { readonly weight: number })[],
): Map<string, TensorSource> {
  const ofPart = <T extends { readonly part: string }>(all: readonly T[]): T[] =>
    all.filter((one) => one.part === part);
  const adapters = files.flatMap(({ adapters: own, weight }) =>
    ofPart(own).map((adapter) => ({ adapter, weight })),
  );
  const changes = new Map<string, { change: FittedChange; weight: number }[]>();
  for (const { changes: own, weight } of files)
    for (const change of ofPart(own)) {
      const name = `${change.module}.${change.tensor}`;
      changes.set(name, [...(changes.get(name) ?? []), { change, weight }]);
    }
  const merged = mergeLora(weights, adapters);
  for (const [name, own] of changes) {
    const beside = adapters.filter(({ adapter }) => `${adapter.module}.weight` === name);
    const shape = own[0]?.change.base.shape ?? [];
    merged.set(name, { dtype: 'f32', shape, compute: () => withAdapters(changedWeight(own), beside) });
  }
  return merged;
}

/** A weight with adapters added to it, in place. A convolution's axes after the first count as one, as in PEFT for 1×1 up matrices. */
function withAdapters(base: HostTensor<'f32'>, adapters: readonly WeightedAdapter[]): HostTensor<'f32'> {
  const { data } = base;
  const outputs = base.shape[0] as number;
  const inputs = data.length / outputs;
  for (const { adapter, weight } of adapters) {
    const { A, B, rank } = adapter;
    const scale = (weight * adapter.alpha) / rank;
    const row = new Float64Array(inputs);
    for (let out = 0; out < outputs; out++) {
      row.fill(0);
      for (let r = 0; r < rank; r++) {
        const factor = scale * (B.data[out * rank + r] as number);
        const start = r * inputs;
        for (let i = 0; i < inputs; i++) row[i] = (row[i] as number) + factor * (A.data[start + i] as number);
      }
      const start = out * inputs;
      for (let i = 0; i < inputs; i++) data[start + i] = (data[start + i] as number) + (row[i] as number);
    }
  }
  return base;
}

/** One tensor with changes other than low-rank matrices: each is added as if it were alone, as PEFT adds adapters. */
export function changedWeight(
  changes: readonly { readonly change: FittedChange; readonly weight: number }[],
): HostTensor<'f32'> {
  const [first] = changes;
  if (!first) throw new Error('changedWeight: no changes');
  const base = readF32(first.change.base);
  const sum = Float64Array.from(base.data);
  for (const { change, weight } of changes) {
    const delta = change.delta(base.data, weight);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (delta[i] as number);
  }
  return { ...base, data: Float32Array.from(sum) };
}
