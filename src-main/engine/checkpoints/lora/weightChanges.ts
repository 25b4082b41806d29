import { problem } from '../../../../src-shared/messages/index.ts';
import type { AdapterMethod, AdapterTensor } from '../../nn/scope.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { LoraName } from '../names/loraNames.ts';

/** A low-rank change of one module: W + weight · (alpha / rank) · B·A. */
export interface LoraAdapter {
  readonly part: LoraName['part'];
  /** diffusers' name of a Linear or Conv, `down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q`. */
  readonly module: string;
  readonly rank: number;
  readonly alpha: number;
  /** [rank, in] of a Linear, [rank, in, height, width] of a Conv. */
  readonly A: HostTensor<'f32'>;
  /** [out, rank] of a Linear, [out, rank, 1, 1] of a Conv. */
  readonly B: HostTensor<'f32'>;
}

/** One module's adapter as files hold it, of any method that is trained here. */
export interface StoredAdapter extends Pick<LoraAdapter, 'part' | 'module' | 'rank' | 'alpha'> {
  readonly method: AdapterMethod;
  readonly tensors: Partial<Record<AdapterTensor, HostTensor<'f32'>>>;
}

export function storedLora({ A, B, ...about }: LoraAdapter): StoredAdapter {
  return { ...about, method: 'lora', tensors: { A, B } };
}

/** The adapter as a pair of matrices; nothing if its method is another one. */
export function asPair({ method, tensors: { A, B }, ...about }: StoredAdapter): LoraAdapter | undefined {
  return method === 'lora' && A && B ? { ...about, A, B } : undefined;
}

/** A change of one tensor that is not a product of two thin matrices: LoHa, LoKr, DoRA, a difference kept whole. */
export interface WeightChange {
  readonly part: LoraName['part'];
  readonly module: string;
  readonly tensor: 'weight' | 'bias';
  /** What it is called, for messages. */
  readonly method: string;
  /** The number of elements of the tensor. */
  readonly count: number;
  /** The tensors in the file that it is made from. */
  readonly parameters: readonly HostTensor<'f32'>[];
  /** What is added to `base` (the model's own values) at this weight. */
  delta(base: Float32Array, weight: number): Float32Array;
}

/** A matrix in double: `rows` × `columns`, row by row. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

const asMatrix = ({ shape, data }: HostTensor<'f32'>): Matrix => {
  const rows = shape[0] ?? 1;
  return { rows, columns: data.length / rows, data };
};

function product(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let row = 0; row < a.rows; row++)
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[row * a.columns + k] as number;
      for (let column = 0; column < b.columns; column++)
        data[row * b.columns + column] =
          (data[row * b.columns + column] as number) + factor * (b.data[k * b.columns + column] as number);
    }
  return { rows: a.rows, columns: b.columns, data };
}

export type FoundTensors = Partial<Record<LoraName['kind'], HostTensor<'f32'>>>;

/**
 * A convolution's LoRA with a core (Tucker; LyCORIS' `lora_mid`): the core [rank, rank, h, w] goes into A.
 * W_oihw = Σ B_om · mid_mnhw · A_ni.
 */
export function withCore(A: HostTensor<'f32'>, mid: HostTensor<'f32'>): HostTensor<'f32'> {
  const [rows = 0, inner = 0, height = 1, width = 1] = mid.shape;
  const inputs = A.data.length / inner;
  const taps = height * width;
  const data = new Float32Array(rows * inputs * taps);
  for (let m = 0; m < rows; m++)
    for (let i = 0; i < inputs; i++)
      for (let tap = 0; tap < taps; tap++) {
        let sum = 0;
        for (let n = 0; n < inner; n++)
          sum += (mid.data[(m * inner + n) * taps + tap] as number) * (A.data[n * inputs + i] as number);
        data[(m * inputs + i) * taps + tap] = sum;
      }
  return { dtype: 'f32', shape: [rows, inputs, height, width], data };
}

/** LyCORIS' and PEFT's Tucker form: a and b are [rank, out] and [rank, in], the core [rank, rank, h, w]. */
function tucker(core: HostTensor<'f32'>, a: HostTensor<'f32'>, b: HostTensor<'f32'>): Matrix {
  const [rank = 0, outputs = 0] = a.shape;
  const transposed = new Float32Array(a.data.length);
  for (let r = 0; r < rank; r++)
    for (let o = 0; o < outputs; o++) transposed[o * rank + r] = a.data[r * outputs + o] as number;
  return product({ rows: outputs, columns: rank, data: transposed }, asMatrix(withCore(b, core)));
}

/** LoHa: (w1_a·w1_b) ∘ (w2_a·w2_b), scaled by alpha over the rank (Hyeon-Woo et al. 2022, FedPara; LyCORIS `loha.py`). */
export function lohaMatrix(found: FoundTensors): { matrix: Matrix; rank: number } | undefined {
  const { hada_w1_a: a1, hada_w1_b: b1, hada_w2_a: a2, hada_w2_b: b2, hada_t1: t1, hada_t2: t2 } = found;
  if (!a1 || !b1 || !a2 || !b2) return undefined;
  const first = t1 ? tucker(t1, a1, b1) : product(asMatrix(a1), asMatrix(b1));
  const second = t2 ? tucker(t2, a2, b2) : product(asMatrix(a2), asMatrix(b2));
  const data = Float64Array.from(first.data, (value, i) => value * (second.data[i] ?? NaN));
  return { matrix: { ...first, data }, rank: b1.shape[0] ?? 1 };
}

/**
 * LoKr: the Kronecker product of w1 and w2, each whole or a product; scaled by alpha over the rank where one is a product
 * (LyCORIS `lokr.py`). No rank where both are whole.
 */
export function lokrMatrix(found: FoundTensors): { matrix: Matrix; rank: number | undefined } | undefined {
  const { lokr_w1: w1, lokr_w1_a: a1, lokr_w1_b: b1, lokr_w2: w2, lokr_w2_a: a2, lokr_w2_b: b2 } = found;
  const first = w1 ? asMatrix(w1) : a1 && b1 && product(asMatrix(a1), asMatrix(b1));
  const core = found.lokr_t2;
  const second = w2
    ? asMatrix(w2)
    : a2 && b2 && (core ? tucker(core, a2, b2) : product(asMatrix(a2), asMatrix(b2)));
  if (!first || !second) return undefined;
  const columns = first.columns * second.columns;
  const data = new Float64Array(first.rows * second.rows * columns);
  let at = 0;
  for (let i = 0; i < first.rows; i++)
    for (let k = 0; k < second.rows; k++)
      for (let j = 0; j < first.columns; j++) {
        const factor = first.data[i * first.columns + j] as number;
        for (let l = 0; l < second.columns; l++)
          data[at++] = factor * (second.data[k * second.columns + l] as number);
      }
  const rank = (!w1 && b1?.shape[0]) || (!w2 && b2?.shape[0]) || undefined;
  return { matrix: { rows: first.rows * second.rows, columns, data }, rank };
}

export const lowRankMatrix = (A: HostTensor<'f32'>, B: HostTensor<'f32'>): Matrix =>
  product(asMatrix(B), asMatrix(A));

/** Adds weight · scale · matrix. */
export function plainDelta({ data }: Matrix, scale: number): WeightChange['delta'] {
  return (_base, weight) => Float32Array.from(data, (value) => weight * scale * value);
}

/**
 * DoRA (Liu et al. 2024): m · V/‖V‖ with V = W + weight · scale · matrix, the norm of each output's row as in PEFT, or of each
 * input's column as older LyCORIS files have it (`dora_scale` [1, in]).
 */
export function doraDelta(
  { rows, columns, data }: Matrix,
  scale: number,
  magnitude: HostTensor<'f32'>,
  byInput: boolean,
): WeightChange['delta'] {
  const groups = magnitude.data.length;
  const perInput = columns / groups;
  const groupOf = byInput
    ? (_row: number, column: number) => Math.floor(column / perInput)
    : (row: number) => row;
  return (base, weight) => {
    const direction = Float64Array.from(base, (value, i) => value + weight * scale * (data[i] as number));
    const squares = new Float64Array(groups);
    const each = (use: (i: number, group: number) => void): void => {
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) use(row * columns + column, groupOf(row, column));
    };
    each((i, group) => (squares[group] = (squares[group] as number) + (direction[i] as number) ** 2));
    const delta = new Float32Array(base.length);
    each((i, group) => {
      const length = Math.sqrt(squares[group] as number) || 1;
      delta[i] =
        ((direction[i] as number) * (magnitude.data[group] as number)) / length - (base[i] as number);
    });
    return delta;
  };
}

/** Errors: `lora.incomplete`. */
export function incomplete(file: string, tensor: string, missing: string): Error {
  return problem('lora.incomplete', { file, tensor, missing });
}
