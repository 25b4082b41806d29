import { topological, type Graph } from './graph.ts';
import type { Value } from './ops.ts';

/** The graph as text, one value a line: `%7: f32[2,320,64,64] = conv2d %5 %6 stride=1,1`. */
export function print(graph: Graph): string {
  const values = topological(Object.values(graph.outputs));
  const names = new Map(values.map((value, index) => [value, `%${index}`]));
  const nameOf = (value: Value): string => names.get(value) ?? '%?';
  const lines = values.map((value) => {
    const words = [value.op, ...value.inputs.map(nameOf), ...Object.entries(value.attributes).map(attribute)];
    return `${nameOf(value)}: ${value.dtype}[${value.shape.join()}] = ${words.join(' ')}`;
  });
  const results = Object.entries(graph.outputs).map(([name, value]) => `${name}=${nameOf(value)}`);
  return [...lines, `return ${results.join(' ')}`].join('\n');
}

function attribute([key, value]: [string, unknown]): string {
  if (key === 'tensor') return tensorText(value as { data: ArrayLike<number | bigint> });
  return `${key}=${Array.isArray(value) ? value.join() : String(value)}`;
}

function tensorText({ data }: { data: ArrayLike<number | bigint> }): string {
  const shown = Array.from({ length: Math.min(4, data.length) }, (_, i) => String(data[i]));
  return `{${shown.join()}${data.length > 4 ? ',…' : ''}}`;
}
