import { expect } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const { tensors } = readSafetensors(`${import.meta.dirname}/../fixtures/ops/ops.safetensors`);

/** The names "<op>/<case>" that torch computed. */
export const goldenCases: ReadonlySet<string> = new Set(
  [...tensors.keys()].map((key) => key.split('/').slice(0, 2).join('/')),
);

/** One of torch's tensors: "<op>/<case>/<kind>". */
export function golden(key: string): HostTensor {
  const entry = tensors.get(key);
  if (!entry) throw new Error(`no golden ${key}`);
  return readTensor(entry);
}

/** The inputs of a case, in order. */
export function goldenInputs(name: string): HostTensor[] {
  const count = [...tensors.keys()].filter((key) => key.startsWith(`${name}/in`)).length;
  return Array.from({ length: count }, (_, i) => golden(`${name}/in${i}`));
}

/** The tensors "<case>/<kind><i>" by i: of those inputs alone that have one. */
export function goldensOf(name: string, kind: 'grad' | 'second'): Map<number, HostTensor> {
  const prefix = `${name}/${kind}`;
  const keys = [...tensors.keys()].filter((key) => key.startsWith(prefix));
  return new Map(keys.sort().map((key) => [Number(key.slice(prefix.length)), golden(key)]));
}

/** Same shape, and no element off by more than `tolerance` of the largest (at least 1). */
export function expectClose(actual: HostTensor | undefined, expected: HostTensor, tolerance: number): void {
  if (!actual) throw new Error('no such output');
  expect(actual.shape).toEqual(expected.shape);
  const wanted = Array.from(expected.data, Number);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const off = wanted.map((value, i) => Math.abs(Number(actual.data[i]) - value) / largest);
  // Written so that NaN fails.
  expect(off.filter((error) => !(error <= tolerance))).toEqual([]);
}
