import { topological, type Graph } from '../graph/graph.ts';
import type { Node, Op, Value } from '../graph/ops.ts';
import { verify } from '../graph/verify.ts';
import type { TensorSource } from '../checkpoints/writeSafetensors.ts';
import { rowsOf } from '../checkpoints/rows.ts';
import type { DType, Shape } from '../tensor/tensor.ts';
import { BlobFile } from './blobFile.ts';
import { Emitter, valueType, type Ref, type Stored } from './emitter.ts';
import { milRules } from './milRules.ts';
import { arrayTypes, type FeatureProto, type MilType, type ModelProto } from './schema.ts';

/** What a program computes in. The sines of a timestep are computed in f32 in any case: f16 holds the angles to half a radian. */
export type ComputeType = 'f16' | 'f32';

export interface ProgramOptions {
  readonly computes: ComputeType;
  /** The tensor of every parameter. */
  readonly weights: (name: string, shape: Shape) => TensorSource;
  /** What it is, for people who open it in Xcode. */
  readonly about: string;
  /** The same for each input and output, by name. */
  readonly features: Readonly<Record<string, string>>;
}

/** A Core ML model and what its `weight.bin` holds. */
export interface MilModel {
  readonly proto: ModelProto;
  readonly blobs: BlobFile;
}

/** Core ML of iOS 16 and macOS 13, the oldest that Apple's library runs on: specification 7, operations "CoreML6". */
const specificationVersion = 7;
const opset = 'CoreML6';

/** Inference graph → Core ML model ("ML program"). Inputs are f16, f32 or i32 as the graph declares them; outputs are f32. */
export function milModel(graph: Graph, { computes, weights, about, features }: ProgramOptions): MilModel {
  verify(graph);
  const values = topological(Object.values(graph.outputs));
  const stored = storedValues(values, weights);
  const singles = computes === 'f32' ? new Set(values) : ofSines(values);
  const typeOf = (value: Value): MilType => {
    if (value.op === 'input') return milType(value.dtype);
    return value.dtype === 'f32' && !singles.has(value) ? 'fp16' : milType(value.dtype);
  };
  const blobs = new BlobFile();
  const made = new Map<Value, Ref>();
  const inputs = values.filter((value): value is Node<'input'> => value.op === 'input');
  const nameOf = ({ attributes }: Node<'input'>): string => attributes.name;
  const e = new Emitter(blobs, { made, stored }, [...inputs.map(nameOf), ...Object.keys(graph.outputs)]);
  for (const value of values) {
    const { shape } = value;
    const type = typeOf(value);
    if (value.op === 'input') made.set(value, { name: nameOf(value), type, shape });
    else if (value.op !== 'constant' && !stored.has(value)) made.set(value, lower(value, type, e));
  }
  const feature = (name: string, { dataType, shape }: { dataType: number; shape: Shape }): FeatureProto => ({
    ...{ name, shortDescription: features[name] ?? '' },
    type: { multiArrayType: { shape: [...shape], dataType } },
  });
  const output: FeatureProto[] = [];
  for (const [name, value] of Object.entries(graph.outputs)) {
    const x = e.own(value);
    if (x.type === 'fp32') e.emit('identity', { x }, 'fp32', value.shape, name);
    else e.emit('cast', { x, dtype: e.string('fp32') }, 'fp32', value.shape, name);
    output.push(feature(name, { dataType: arrayTypes.fp32, shape: value.shape }));
  }
  const block = { outputs: output.map(({ name }) => name), operations: e.operations };
  const main = {
    inputs: inputs.map((value) => ({ name: nameOf(value), type: valueType(typeOf(value), value.shape) })),
    ...{ opset, block_specializations: { [opset]: block } },
  };
  const input = inputs.map((value) => {
    const type = typeOf(value);
    if (type === 'bool' || type === 'string') throw new Error(`Core ML is fed no ${type}`);
    return feature(nameOf(value), { dataType: arrayTypes[type], shape: value.shape });
  });
  const proto: ModelProto = {
    specificationVersion,
    description: { input, output, metadata: { shortDescription: about } },
    mlProgram: { version: 1, functions: { main } },
  };
  return { proto, blobs };
}

function lower<K extends Op>(node: Node<K>, type: MilType, e: Emitter): Ref {
  return milRules[node.op](node, type, e);
}

function milType(dtype: DType): MilType {
  if (dtype === 'f32') return 'fp32';
  if (dtype === 'f16') return 'fp16';
  if (dtype === 'bool') return 'bool';
  if (dtype === 'i64' || dtype === 'i32') return 'int32';
  throw new Error(`Core ML's programs have no ${dtype}`);
}

/** Parameters, and those rows of them that are used: they become tensors of the package. */
function storedValues(values: readonly Value[], weights: ProgramOptions['weights']): Map<Value, Stored> {
  const stored = new Map<Value, Stored>();
  for (const value of values) {
    if (value.op === 'parameter')
      stored.set(value, { name: value.attributes.name, tensor: weights(value.attributes.name, value.shape) });
    if (value.op !== 'slice') continue;
    const [source] = value.inputs;
    const whole = source?.op === 'parameter' && stored.get(source);
    const { starts, ends } = value.attributes;
    const rowsOnly = source?.shape.every(
      (size, axis) => axis === 0 || (starts[axis] === 0 && ends[axis] === size),
    );
    if (!whole || !rowsOnly) continue;
    const [from, to] = [starts[0] as number, ends[0] as number];
    stored.set(value, { name: `${whole.name}_${from}_${to}`, tensor: rowsOf(whole.tensor, from, to) });
  }
  return stored;
}

/** Sines and cosines, and all floats that they are computed from. */
function ofSines(values: readonly Value[]): Set<Value> {
  const found = new Set<Value>();
  for (const value of [...values].reverse()) {
    const isSine = value.op === 'sin' || value.op === 'cos';
    if (isSine || found.has(value)) for (const one of [value, ...value.inputs]) found.add(one);
  }
  return found;
}
