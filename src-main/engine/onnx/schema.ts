import protobuf from 'protobufjs';

/** The part of onnx.proto3 (IR version 10) that we write; field numbers are the format. */
const schema = `
syntax = "proto3";
message Attribute {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; Graph g = 6; repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message Dimension { int64 dim_value = 1; string dim_param = 2; }
message TensorShape { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; TensorShape shape = 2; }
message SequenceType { Type elem_type = 1; }
message Type { TensorType tensor_type = 1; SequenceType sequence_type = 4; }
message ValueInfo { string name = 1; Type type = 2; }
message StringEntry { string key = 1; string value = 2; }
message Tensor {
  repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
  repeated StringEntry external_data = 13; int32 data_location = 14;
}
message Node {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated Attribute attribute = 5; string domain = 7;
}
message Graph {
  repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
  repeated ValueInfo input = 11; repeated ValueInfo output = 12; repeated ValueInfo value_info = 13;
}
message OperatorSet { string domain = 1; int64 version = 2; }
message Model {
  int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8;
}`;

const model = protobuf.parse(schema, { keepCase: true }).root.lookupType('Model');

export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  ints?: readonly number[];
  g?: GraphProto;
}

export interface TensorProto {
  name: string;
  dims: readonly number[];
  data_type: number;
  raw_data?: Uint8Array;
  data_location?: number;
  external_data?: { key: string; value: string }[];
}

export interface NodeProto {
  input: readonly string[];
  output: readonly string[];
  name: string;
  op_type: string;
  domain: string;
  attribute: AttributeProto[];
}

interface TensorTypeProto {
  tensor_type: { elem_type: number; shape: { dim: ({ dim_value: number } | { dim_param: string })[] } };
}

export interface ValueInfoProto {
  name: string;
  type: TensorTypeProto | { sequence_type: { elem_type: TensorTypeProto } };
}

export interface ModelProto {
  ir_version: number;
  producer_name: string;
  opset_import: { domain: string; version: number }[];
  graph: GraphProto;
}

export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  value_info?: ValueInfoProto[];
}

export function encodeModel(proto: ModelProto): Uint8Array {
  return model.encode(model.create(proto)).finish();
}
