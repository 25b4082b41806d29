import { problem } from '../../../../src-shared/messages/index.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import {
  doraDelta,
  incomplete,
  lohaMatrix,
  lokrMatrix,
  lowRankMatrix,
  plainDelta,
  withCore,
  type FoundTensors,
  type LoraAdapter,
  type WeightChange,
} from './weightChanges.ts';
import type { Scaling } from './scaling.ts';
import type { LoraName } from '../names/loraNames.ts';

type Module = Pick<LoraName, 'part' | 'module'>;

/** What the tensors of one module make: adapters of low rank, changes of other kinds. Errors: `lora.incomplete`, `tensor.*`. */
export function readModule(
  file: string,
  module: Module,
  found: FoundTensors,
  scaling: Scaling,
): { adapters: LoraAdapter[]; changes: WeightChange[] } {
  const tensor = `${module.part}.${module.module}`;
  for (const [kind, { data }] of Object.entries(found)) {
    if (data.length === 0)
      throw problem('lora.unfit', { file, tensor, found: shapesOf(Object.values(found)) });
    refuseBad(file, `${tensor}.${kind}`, data);
  }
  refuseMixed(file, tensor, found);
  const changes = (['diff', 'diff_b'] as const).flatMap((kind): WeightChange[] => {
    const diff = found[kind];
    return diff
      ? [
          {
            ...module,
            tensor: kind === 'diff' ? 'weight' : 'bias',
            method: 'difference',
            count: diff.data.length,
            parameters: [diff],
            delta: plainDelta({ rows: 1, columns: diff.data.length, data: diff.data }, 1),
          },
        ]
      : [];
  });
  const { A, B, mid } = found;
  if (A || B || (!lohaMatrix(found) && !lokrMatrix(found) && !changes.length)) {
    const isOther = Object.keys(found).some((kind) => /^(hada|lokr)/.test(kind));
    if (!A || !B)
      throw incomplete(file, tensor, isOther ? 'other half' : A ? 'up (B) matrix' : 'down (A) matrix');
    const adapter = lowRank(file, module, mid ? withCore(A, mid) : A, B, found, scaling);
    if (!found.magnitude && !found.dora_scale) return { adapters: [adapter], changes };
    return { adapters: [], changes: [...changes, dora(module, found, lowRankMatrix(adapter.A, B), adapter)] };
  }
  const [method, made] = lohaMatrix(found) ? ['LoHa', lohaMatrix(found)] : ['LoKr', lokrMatrix(found)];
  if (!made) return { adapters: [], changes };
  const { matrix, rank } = made;
  if (matrix.data.some(Number.isNaN))
    throw problem('lora.unfit', { file, tensor, found: shapesOf(Object.values(found)) });
  const scale = scaleOf(module, found, rank, scaling);
  if (found.magnitude || found.dora_scale)
    return { adapters: [], changes: [...changes, dora(module, found, matrix, { alpha: scale, rank: 1 })] };
  const { rows, columns } = matrix;
  const own = { method, count: rows * columns, parameters: Object.values(found), tensor: 'weight' } as const;
  return { adapters: [], changes: [...changes, { ...module, ...own, delta: plainDelta(matrix, scale) }] };
}

/** Refuses two methods on one module: only one could be used. Errors: `lora.unsupported`, `lora.incomplete`. */
function refuseMixed(file: string, tensor: string, found: FoundTensors): void {
  const kinds = Object.keys(found);
  const methods = [/^(A|B|mid)$/, /^hada_/, /^lokr_/].filter((own) => kinds.some((kind) => own.test(kind)));
  if (methods.length > 1)
    throw problem('lora.unsupported', { file, why: `"${tensor}" is changed by two methods at once` });
  // A difference kept whole has no magnitudes, and is no half of a LoHa.
  const isDifference = found.diff !== undefined || found.diff_b !== undefined;
  const hasLowRank = (found.A && found.B) ?? lohaMatrix(found) ?? lokrMatrix(found);
  const rest = found.magnitude || found.dora_scale || methods.length > 0;
  if (isDifference && rest && !hasLowRank) throw incomplete(file, tensor, 'other half');
}

/** Alpha over rank; a LoKr of two whole matrices has no rank, and LyCORIS then passes over its alpha. */
function scaleOf(
  { part, module }: Module,
  { alpha }: FoundTensors,
  rank: number | undefined,
  scaling: Scaling,
): number {
  if (alpha) return rank === undefined ? 1 : (alpha.data[0] as number) / rank;
  return scaling(part, module, rank);
}

function dora(
  module: Module,
  found: FoundTensors,
  matrix: ReturnType<typeof lowRankMatrix>,
  { alpha, rank }: { readonly alpha: number; readonly rank: number },
): WeightChange {
  const magnitude = found.magnitude ?? found.dora_scale;
  if (!magnitude) throw new Error('DoRA without magnitudes');
  // LyCORIS says by the shape on which side it is, [out, 1] or [1, in]; PEFT's is always on the outputs.
  const { shape } = magnitude;
  const byInput = !found.magnitude && shape.length > 1 && shape[0] === 1 && matrix.rows !== 1;
  return {
    ...module,
    tensor: 'weight',
    method: 'DoRA',
    count: matrix.rows * matrix.columns,
    parameters: Object.values(found),
    delta: doraDelta(matrix, alpha / rank, magnitude, byInput),
  };
}

function lowRank(
  file: string,
  { part, module }: Module,
  A: HostTensor<'f32'>,
  B: HostTensor<'f32'>,
  found: FoundTensors,
  scaling: Scaling,
): LoraAdapter {
  const tensor = `${part}.${module}`;
  const rank = A.shape[0] ?? 0;
  const isRank =
    (A.shape.length === 2 || A.shape.length === 4) &&
    (B.shape.length === 2 || B.shape.length === 4) &&
    B.shape[1] === rank &&
    rank > 0;
  if (!isRank || B.shape.slice(2).some((size) => size !== 1))
    throw problem('lora.unfit', { file, tensor, found: shapesOf([A, B]) });
  const alpha = found.alpha ? (found.alpha.data[0] as number) : rank * scaling(part, module, rank);
  refuseBad(file, tensor, [alpha]);
  return { part, module, rank, alpha, A, B };
}

function refuseBad(file: string, tensor: string, data: ArrayLike<number>): void {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) count++;
  if (count) throw problem('tensor.notNumbers', { file, tensor, count });
}

const shapesOf = (tensors: readonly HostTensor[]): string =>
  tensors.map(({ shape }) => (shape.length ? shape.join('×') : 'a number')).join(' and ');
