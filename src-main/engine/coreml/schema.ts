import protobuf from 'protobufjs';

/**
 * The part of Core ML's Model.proto, FeatureTypes.proto and MIL.proto (apple/coremltools, mlmodel/format) that we write; field numbers
 * are the format. Enumerations are numbers on the wire.
 */
const schema = `
syntax = "proto3";
message Dimension { ConstantDimension constant = 1; }
message ConstantDimension { uint64 size = 1; }
message TensorType { int32 dataType = 1; int64 rank = 2; repeated Dimension dimensions = 3; }
message ValueType { TensorType tensorType = 1; }
message Floats { repeated float values = 1 [packed = true]; }
message Ints { repeated int32 values = 1 [packed = true]; }
message Bools { repeated bool values = 1 [packed = true]; }
message Strings { repeated string values = 1; }
message Bytes { bytes values = 1; }
message TensorValue {
  oneof value { Floats floats = 1; Ints ints = 2; Bools bools = 3; Strings strings = 4; Bytes bytes = 7; }
}
message ImmediateValue { TensorValue tensor = 1; }
message BlobFileValue { string fileName = 1; uint64 offset = 2; }
message Value {
  ValueType type = 2;
  oneof value { ImmediateValue immediateValue = 3; BlobFileValue blobFileValue = 5; }
}
message NamedValueType { string name = 1; ValueType type = 2; }
message Binding { oneof binding { string name = 1; Value value = 2; } }
message Argument { repeated Binding arguments = 1; }
message Operation {
  string type = 1; map<string, Argument> inputs = 2; repeated NamedValueType outputs = 3; map<string, Value> attributes = 5;
}
message Block { repeated string outputs = 2; repeated Operation operations = 3; }
message Function {
  repeated NamedValueType inputs = 1; string opset = 2; map<string, Block> block_specializations = 3;
}
message Program { int64 version = 1; map<string, Function> functions = 2; }
message ArrayFeatureType { repeated int64 shape = 1; int32 dataType = 2; }
message FeatureType { ArrayFeatureType multiArrayType = 5; }
message FeatureDescription { string name = 1; string shortDescription = 2; FeatureType type = 3; }
message Metadata { string shortDescription = 1; }
message ModelDescription {
  repeated FeatureDescription input = 1; repeated FeatureDescription output = 10; Metadata metadata = 100;
}
message Model { int32 specificationVersion = 1; ModelDescription description = 2; Program mlProgram = 502; }`;

const model = protobuf.parse(schema, { keepCase: true }).root.lookupType('Model');

/** MIL's types of elements. */
export type MilType = 'fp16' | 'fp32' | 'int32' | 'bool' | 'string';

/** MILSpec.DataType. */
export const milTypes: Readonly<Record<MilType, number>> = {
  bool: 1,
  string: 2,
  fp16: 10,
  fp32: 11,
  int32: 23,
};

/** ArrayFeatureType.ArrayDataType of what a model is fed and gives. */
export const arrayTypes = { fp32: 65568, int32: 131104, fp16: 65552 } as const;

export interface ValueTypeProto {
  tensorType: { dataType: number; rank: number; dimensions: { constant: { size: number } }[] };
}

export interface TensorValueProto {
  floats?: { values: number[] };
  ints?: { values: number[] };
  bools?: { values: boolean[] };
  strings?: { values: string[] };
  /** f16, little-endian. */
  bytes?: { values: Uint8Array };
}

export interface ValueProto {
  type: ValueTypeProto;
  immediateValue?: { tensor: TensorValueProto };
  blobFileValue?: { fileName: string; offset: number };
}

export interface NamedTypeProto {
  name: string;
  type: ValueTypeProto;
}

export interface OperationProto {
  type: string;
  inputs: Record<string, { arguments: { name: string }[] }>;
  outputs: NamedTypeProto[];
  attributes: Record<string, ValueProto>;
}

export interface FunctionProto {
  inputs: NamedTypeProto[];
  opset: string;
  block_specializations: Record<string, { outputs: string[]; operations: OperationProto[] }>;
}

export interface FeatureProto {
  name: string;
  shortDescription: string;
  type: { multiArrayType: { shape: number[]; dataType: number } };
}

export interface ModelProto {
  specificationVersion: number;
  description: { input: FeatureProto[]; output: FeatureProto[]; metadata: { shortDescription: string } };
  mlProgram: { version: number; functions: Record<string, FunctionProto> };
}

export function encodeModel(proto: ModelProto): Uint8Array {
  return model.encode(model.create(proto)).finish();
}

/** A model that `encodeModel` wrote. Throws where the bytes are no such message. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  const plain: unknown = model.toObject(model.decode(bytes), { longs: Number, arrays: true, objects: true });
  return plain as ModelProto;
}
