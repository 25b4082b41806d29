import { encodeModel, type AttributeProto, type ValueInfoProto } from '../onnx/schema.ts';
import { InferenceSession, Tensor } from './onnxRuntime.ts';

/** A dense matrix of doubles, rows one after the other. */
export interface Doubles {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export interface ProductOptions {
  /** aᵀ in place of a. */
  readonly transA?: boolean;
  /** bᵀ in place of b. */
  readonly transB?: boolean;
  /** c − a·b in place of a·b. */
  readonly minusFrom?: Doubles;
}

const double = 11;

/** a·b in doubles on the CPU, on all cores: what the graph's types (which have none) can't say. */
export async function doubleProduct(
  a: Doubles,
  b: Doubles,
  { transA = false, transB = false, minusFrom: c }: ProductOptions = {},
): Promise<Doubles> {
  const rows = transA ? a.columns : a.rows;
  const columns = transB ? b.rows : b.columns;
  const given = { a, b, ...(c && { c }) };
  const integer = (name: string, i: number): AttributeProto => ({ name, type: 2, i });
  const attribute = [
    ...[integer('transA', Number(transA)), integer('transB', Number(transB))],
    { name: 'alpha', type: 1, f: c ? -1 : 1 },
  ];
  const graph = {
    name: 'product',
    node: [{ name: 'p', op_type: 'Gemm', domain: '', input: Object.keys(given), output: ['p'], attribute }],
    initializer: [],
    input: Object.entries(given).map(([name, matrix]) => declared(name, matrix)),
    output: [declared('p', { rows, columns })],
  };
  const model = { ir_version: 9, producer_name: 'likeness', graph };
  const session = await InferenceSession.create(
    encodeModel({ ...model, opset_import: [{ domain: '', version: 20 }] }),
  );
  try {
    const feeds = Object.entries(given).map(
      ([name, { rows: m, columns: n, data }]) => [name, new Tensor('float64', data, [m, n])] as const,
    );
    const { p } = await session.run(Object.fromEntries(feeds));
    return { rows, columns, data: p?.data as Float64Array };
  } finally {
    await session.release();
  }
}

function declared(name: string, { rows, columns }: Omit<Doubles, 'data'>): ValueInfoProto {
  const dim = [{ dim_value: rows }, { dim_value: columns }];
  return { name, type: { tensor_type: { elem_type: double, shape: { dim } } } };
}
