import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src-main/engine/checkpoints/writeSafetensors.ts';
import { leaves, type Graph } from '../../src-main/engine/graph/graph.ts';
import type { HostTensor, Shape } from '../../src-main/engine/tensor/tensor.ts';

/** Writes one network's folder: `config.json` and its weights, taken by name from `value`; f32 unless said otherwise. */
export function writePart(
  folder: string,
  part: string,
  file: string,
  config: object,
  graph: Graph,
  value: (name: string, shape: Shape) => HostTensor<'f32'>,
  dtype: 'f32' | 'f16' = 'f32',
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const parameters = [...leaves(graph, 'parameter')].filter(([name]) => name.startsWith(`${part}.`));
  const tensors = parameters.map(([name, { shape }]) => ({
    name: name.slice(part.length + 1),
    tensor: value(name, shape),
    dtype,
  }));
  writeSafetensors(join(folder, file), tensors, { format: 'pt' });
}
