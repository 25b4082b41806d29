import { describe, expect, it } from 'vitest';
import {
  add,
  gather,
  input,
  mul,
  parameter,
  reshape,
  scatterAdd,
  slice,
  sin,
} from '../../../src-main/engine/graph/build.ts';
import { leaves, topological, type Graph } from '../../../src-main/engine/graph/graph.ts';
import { hostPart } from '../../../src-main/engine/graph/hostPart.ts';

const ops = (graph: Graph | undefined): string[] =>
  graph ? topological(Object.values(graph.outputs)).map(({ op }) => op) : [];
const table = parameter('table', [9, 4]);

describe('what is computed before a device runs', () => {
  it('is layouts of token ids, which WebGPU would copy to the CPU and back', () => {
    const ids = input('ids', [2, 6], 'i64');
    const own = slice(ids, 1, 0, 3);
    const rows = gather(table, own);
    const summed = scatterAdd(own, rows, 9);
    const { host, device } = hostPart({ outputs: { summed } });
    expect(ops(host)).toEqual(['input', 'slice', 'reshape']);
    expect(ops(device)).not.toContain('slice');
    expect(ops(device)).not.toContain('reshape');
    // What both need is computed once, and the device takes the results alone.
    expect([...leaves(device, 'input').keys()].sort()).toEqual(['host.0', 'host.1']);
    expect(device.outputs['summed']?.shape).toEqual([9, 4]);
  });

  it('is sines of inputs, and nothing else of floats', () => {
    const [t, x] = [input('t', [2]), input('x', [2])];
    const { host, device } = hostPart({ outputs: { y: add(sin(mul(t, 1000)), reshape(mul(x, 2), [2])) } });
    expect(ops(host)).toContain('sin');
    expect(ops(device)).not.toContain('sin');
    expect([...leaves(device, 'input').keys()].sort()).toEqual(['host.0', 'x']);
  });

  it('is nothing where inputs are used as they are', () => {
    const { host } = hostPart({ outputs: { rows: gather(table, input('ids', [2], 'i64')) } });
    expect(host).toBeUndefined();
  });
});
