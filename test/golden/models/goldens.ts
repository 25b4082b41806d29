import { expect } from 'vitest';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import type { Graph } from '../../../src-main/engine/graph/graph.ts';
import { storedWeights, type WeightLookup } from '../../../src-main/engine/pipelines/weights.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = `${import.meta.dirname}/../fixtures`;

export const tinyModels = ['tiny-sd1', 'tiny-sd2', 'tiny-bk'] as const;
export type TinyModel = (typeof tinyModels)[number];

export const openTiny = (name: TinyModel): Model => openModelFolder(`${fixtures}/models/${name}`);

/** Reference numbers by key, and what the file says about them. */
export function goldens(kind: 'forward' | 'gradients', name: TinyModel) {
  const { tensors, metadata } = readSafetensors(`${fixtures}/${kind}/${name}.safetensors`);
  const get = (key: string): HostTensor => {
    const entry = tensors.get(key);
    if (!entry) throw new Error(`no golden ${key}`);
    return readTensor(entry);
  };
  return { get, keys: [...tensors.keys()], metadata };
}

/** Runs a graph once with the model's weights. */
export async function execute(
  graph: Graph,
  model: Model,
  feeds: Readonly<Record<string, HostTensor>>,
  own?: WeightLookup,
): Promise<Record<string, HostTensor>> {
  const session = await Session.compile(graph, { weights: storedWeights(graph, model, own) });
  const given = Object.fromEntries(session.inputs.map((name) => [name, feeds[name] as HostTensor]));
  const results = await session.runHost(given);
  await session.dispose();
  return results;
}

/** The largest difference over the largest reference value. */
export function relativeError(actual: HostTensor | undefined, expected: HostTensor): number {
  if (!actual) throw new Error('no such output');
  expect(actual.shape.join()).toBe(expected.shape.join());
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const wanted = Number(expected.data[i]);
    // NaN must not slip through Math.max.
    const off = Math.abs(Number(actual.data[i]) - wanted);
    difference = Number.isNaN(off) ? Infinity : Math.max(difference, off);
    largest = Math.max(largest, Math.abs(wanted));
  }
  return difference / largest;
}
