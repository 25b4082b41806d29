import * as z from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';
import type { MobileNetConfig } from '../models/mobileNet.ts';
import type { HostTensor, Shape } from '../tensor/tensor.ts';
import { readSafetensors } from './safetensors.ts';
import { readTensor } from './weights.ts';

const configSchema = z.object({ size: z.int().min(32), strides: z.array(z.int().min(1).max(2)).min(1) });
const quantizationSchema = z.record(z.string(), z.object({ min: z.number(), scale: z.number() }));

export interface MobileNetFile {
  readonly config: MobileNetConfig;
  readonly weights: ReadonlyMap<string, HostTensor<'f32'>>;
}

/**
 * Reads MobileNetV2 as `models/recipe/data/fetchMobileNet.ts` writes it: 8-bit tensors q, whose value is q·scale + min by the
 * file's metadata (TensorFlow.js's `decodeWeights`). Errors: those of `readSafetensors`, `weights.damaged`.
 */
export function readMobileNet(file: string): MobileNetFile {
  const { tensors, metadata } = readSafetensors(file);
  const damaged = (why: string, cause?: unknown): Error => problem('weights.damaged', { file, why }, cause);
  const said = <T>(key: string, schema: z.ZodType<T>): T => {
    try {
      return schema.parse(JSON.parse(metadata[key] ?? ''));
    } catch (cause) {
      throw damaged(`its metadata has no ${key}`, cause);
    }
  };
  const { size, strides } = said('config', configSchema);
  const quantization = said('quantization', quantizationSchema);
  const shapeOf = (name: string): Shape => {
    const entry = tensors.get(name);
    if (entry?.dtype !== 'u8' || !quantization[name]) throw damaged(`it has no 8-bit tensor "${name}"`);
    return entry.shape;
  };
  const outputs = (layer: string): number => shapeOf(`${layer}.weight`)[0] as number;
  const weights = new Map<string, HostTensor<'f32'>>();
  for (const [name, entry] of tensors) {
    const { scale, min } = (shapeOf(name), quantization[name]) as { scale: number; min: number };
    const data = Float32Array.from(readTensor(entry).data as Uint8Array, (q) => q * scale + min);
    weights.set(name, { dtype: 'f32', shape: entry.shape, data });
  }
  const blocks = strides.map((stride, i) => ({
    expanded: outputs(`blocks.${i}.depthwise`),
    channels: outputs(`blocks.${i}.project`),
    stride,
  }));
  return { config: { size, first: outputs('first'), blocks, features: outputs('last') }, weights };
}
