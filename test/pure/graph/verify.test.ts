import { describe, expect, it } from 'vitest';
import {
  add,
  apply,
  conv2d,
  exp,
  input,
  integers,
  mul,
  parameter,
  scalar,
  sum,
} from '../../../src-main/engine/graph/build.ts';
import { leaves, topological } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { print } from '../../../src-main/engine/graph/print.ts';
import { verify } from '../../../src-main/engine/graph/verify.ts';

/** A value as no builder would make it. */
const forged = (value: Value, change: Partial<Pick<Value, 'id' | 'dtype' | 'shape' | 'inputs'>>): Value => ({
  ...value,
  ...change,
});

describe('verify', () => {
  const x = input('x', [2, 3]);
  const y = exp(x);

  it('passes what the builders made', () => {
    verify({ outputs: { y, z: add(y, x) } });
  });

  it.each([
    ['a wrong shape', forged(y, { shape: [3, 2] })],
    ['a wrong type', forged(y, { dtype: 'f16' })],
  ])('catches %s, and shows the line', (_, value) => {
    const found = () => verify({ outputs: { out: value } });
    expect(found).toThrow('the type is not what the rule says');
    expect(found).toThrow(/%1: f(32\[3,2\]|16\[2,3\]) = exp %0/);
  });

  it('catches operands that no longer fit', () => {
    const sumOf = add(x, y);
    expect(() => verify({ outputs: { out: forged(sumOf, { inputs: [x, input('other', [4])] }) } })).toThrow();
  });

  it('catches two leaves of one name', () => {
    expect(() => verify({ outputs: { out: add(x, input('x', [2, 3])) } })).toThrow('two leaves are named x');
    expect(() => verify({ outputs: { out: add(x, parameter('x', [3])) } })).toThrow('two leaves are named x');
  });

  it('catches an output named like a leaf', () => {
    expect(() => verify({ outputs: { x: y } })).toThrow('an output is named like the leaf x');
  });

  it('catches an operand younger than its user', () => {
    expect(() => verify({ outputs: { out: forged(y, { id: x.id }) } })).toThrow(
      'an operand is younger than its user',
    );
  });

  it.each([[1.5], [-1], [NaN]])('catches a size of %d', (size) => {
    expect(() => verify({ outputs: { out: input('sized', [2, size]) } })).toThrow(
      'a size is not a whole number',
    );
  });

  it('catches an attribute changed later', () => {
    const reduced = sum(x, [0]);
    const changed = { ...reduced, attributes: { axes: [1], keepDims: false } } as Value;
    expect(() => verify({ outputs: { out: changed } })).toThrow('the type is not what the rule says');
  });
});

describe('a graph', () => {
  it('is in order, operands first, each value once', () => {
    const [a, b] = [input('a', [2]), parameter('b', [2])];
    const c = mul(a, b);
    const d = add(c, c);
    expect(topological([d, c])).toEqual([a, b, c, d]);
    expect([...leaves({ outputs: { d } }, 'input')]).toEqual([['a', a]]);
    expect([...leaves({ outputs: { d } }, 'parameter')]).toEqual([['b', b]]);
  });

  it('prints itself', () => {
    const [x, w] = [input('pixels', [1, 3, 8, 8]), parameter('conv.weight', [4, 3, 3, 3])];
    const y = conv2d(x, w, undefined, { stride: [2, 2], padding: [1, 1, 1, 1] });
    const ids = integers([6], [1, 2, 3, 4, 5, 6]);
    const rows = apply('gather', [parameter('table', [9, 2]), ids], {});
    expect(print({ outputs: { y: mul(y, scalar(0.5)), rows, same: y } })).toMatchInlineSnapshot(`
      "%0: f32[1,3,8,8] = input name=pixels
      %1: f32[4,3,3,3] = parameter name=conv.weight
      %2: f32[1,4,4,4] = conv2d %0 %1 stride=2,2 padding=1,1,1,1
      %3: i64[6] = constant {1,2,3,4,…}
      %4: f32[9,2] = parameter name=table
      %5: f32[6,2] = gather %4 %3
      %6: f32[] = constant {0.5}
      %7: f32[1,4,4,4] = mul %2 %6
      return y=%7 rows=%5 same=%2"
    `);
  });
});
