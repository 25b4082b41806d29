import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import {
  add,
  gather,
  gemm,
  groupNorm,
  input,
  layerNorm,
  meanSquaredError,
  mul,
  parameter,
  silu,
  softmax,
} from '../../../src-main/engine/graph/build.ts';
import { leaves, topological } from '../../../src-main/engine/graph/graph.ts';
import { halfTypeOf, mixedPrecision } from '../../../src-main/engine/graph/mixedPrecision.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { verify } from '../../../src-main/engine/graph/verify.ts';

const parameterTypes = (outputs: Record<string, Value>): Record<string, string> =>
  Object.fromEntries([...leaves({ outputs }, 'parameter')].map(([name, { dtype }]) => [name, dtype]));

/** A residual block over rows of a table, with a LoRA beside its product. */
function block() {
  const rows = add(gather(parameter('table', [9, 8]), input('ids', [4], 'i64')), parameter('places', [4, 8]));
  const normal = layerNorm(rows, parameter('scale', [8]), parameter('bias', [8]), 1e-5);
  const base = gemm(silu(normal), parameter('weight', [8, 8]), false, true);
  const small = gemm(normal, parameter('lora.A', [2, 8]), false, true);
  const product = add(base, gemm(small, mul(parameter('lora.B', [8, 2]), 2), false, true));
  const residual = add(rows, product);
  return { residual, loss: meanSquaredError(softmax(residual), input('wanted', [4, 8])) };
}

const isLora = (name: string): boolean => name.startsWith('lora.');

describe.each(['f16', 'bf16'] as const)('a graph in mixed precision (%s)', (half) => {
  it('has products, activations and their weights in 16 bits, and f32 where it counts', () => {
    const { residual, loss } = block();
    const mixed = mixedPrecision({ outputs: { loss } }, half, isLora);
    verify(mixed);
    expect(halfTypeOf({ outputs: { loss } })).toBeUndefined();
    expect(halfTypeOf(mixed)).toBe(half);
    expect(parameterTypes({ ...mixed.outputs })).toEqual({
      ...{ table: half, places: half, weight: half },
      ...{ scale: 'f32', bias: 'f32', 'lora.A': 'f32', 'lora.B': 'f32' },
    });
    // What is kept from block to block.
    expect(mixed.now(residual).dtype).toBe(half);
    for (const { op, dtype } of topological(Object.values(mixed.outputs))) {
      if (op === 'gemm' || op === 'gather') expect([op, dtype]).toEqual([op, half]);
      if (['layerNorm', 'softmax', 'sum', 'input'].includes(op) && dtype !== 'i64')
        expect([op, dtype]).toEqual([op, 'f32']);
    }
    expect(mixed.outputs['loss']?.dtype).toBe('f32');
  });

  it('has f32 gradients of what is trained', () => {
    const { outputs } = mixedPrecision({ outputs: { loss: block().loss } }, half, isLora);
    const loss = outputs['loss'] as Value;
    const trained = [...leaves({ outputs: { loss } }, 'parameter')].filter(([name]) => isLora(name));
    const gradients = backward(
      loss,
      trained.map(([, value]) => value),
    );
    expect(gradients.map(({ dtype }) => dtype)).toEqual(['f32', 'f32']);
    verify({ outputs: { loss, ...Object.fromEntries(gradients.entries()) } });
  });
});

it('a weight that is wanted in both is stored in 16 bits once', () => {
  const weight = parameter('weight', [8, 8]);
  const x = input('x', [8, 8]);
  const outputs = { a: gemm(x, weight), b: softmax(weight) };
  const mixed = mixedPrecision({ outputs }, 'f16');
  verify(mixed);
  expect(parameterTypes({ ...mixed.outputs })).toEqual({ weight: 'f16' });
});

it('norms read what is in 16 bits as f32, and what follows them is in 16 bits again', () => {
  const x = gemm(input('x', [4, 8]), parameter('weight', [8, 8]));
  const normal = groupNorm(x, parameter('scale', [8]), parameter('bias', [8]), 2, 1e-5);
  const { outputs } = mixedPrecision({ outputs: { activated: silu(normal) } }, 'f16');
  expect(topological(Object.values(outputs)).find(({ op }) => op === 'swish')?.dtype).toBe('f16');
  const norm = topological(Object.values(outputs)).find(({ op }) => op === 'groupNorm');
  expect(norm?.inputs.map(({ dtype }) => dtype)).toEqual(['f32', 'f32', 'f32']);
});
