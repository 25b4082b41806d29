import type { VitConfig } from '../../models/vit.ts';
import type { FileTensor } from '../../tensor/tensor.ts';

/** transformers 5's module, and the published one. */
const renamedModules: readonly (readonly [from: string, to: string])[] = [
  ['attention.q_proj', 'attention.attention.query'],
  ['attention.k_proj', 'attention.attention.key'],
  ['attention.v_proj', 'attention.attention.value'],
  ['attention.o_proj', 'attention.output.dense'],
];
const renamedSwiGlu: readonly (readonly [from: string, to: string])[] = [
  ['mlp.weights_out', 'mlp.down_proj'],
];
const renamedFeedForward: readonly (readonly [from: string, to: string])[] = [
  ['mlp.fc1', 'intermediate.dense'],
  ['mlp.fc2', 'output.dense'],
];

/**
 * Names of ViT and DINOv2 tensors as published. transformers 5 has others, and models with a head on top prefix them: all are
 * read as the published form; heads and poolers are left out.
 */
export function publishedVitName(name: string, type: VitConfig['model_type']): string | undefined {
  const bare = name.replace(/^(vit|dinov2)\./, '').replace(/^layers\./, 'encoder.layer.');
  if (!/^(embeddings|encoder|layernorm)\./.test(bare)) return undefined;
  const pairs = [...renamedModules, ...(type === 'vit' ? renamedFeedForward : renamedSwiGlu)];
  const [from, to] = pairs.find(([from]) => bare.includes(`.${from}.`)) ?? ['', ''];
  return bare.replace(from, to);
}

/**
 * DINOv2's published SwiGLU keeps its two halves in one tensor, `mlp.weights_in`; here they are `gate_proj` and `up_proj`, as in
 * transformers 5.
 */
export function splitSwiGlu(tensors: ReadonlyMap<string, FileTensor>): Map<string, FileTensor> {
  return new Map(
    [...tensors].flatMap(([name, entry]) => {
      if (!name.includes('.mlp.weights_in.')) return [[name, entry] as const];
      const [rows = 0, ...rest] = entry.shape;
      const byteLength = entry.byteLength / 2;
      const half = { ...entry, shape: [rows / 2, ...rest], byteLength };
      return [
        [name.replace('weights_in', 'gate_proj'), half] as const,
        [name.replace('weights_in', 'up_proj'), { ...half, offset: entry.offset + byteLength }] as const,
      ];
    }),
  );
}
