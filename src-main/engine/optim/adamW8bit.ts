import { elementCount } from '../tensor/tensor.ts';
import type { TensorRule } from './perTensor.ts';
import type { AdamWOptions } from './transforms.ts';

/** Elements that share a scale. */
const blockSize = 256;
/** Smaller tensors keep their moments in 32 bits. */
const smallest = 4096;

/**
 * AdamW whose moments take 8 bits instead of 32 (Dettmers et al. 2022). As `bitsandbytes.optim.AdamW8bit`: blocks of 256 with their
 * largest value, codes of the dynamic map.
 */
export function adamW8bit({ beta1, beta2, epsilon, weightDecay }: AdamWOptions): TensorRule {
  return {
    slots: (shape) => {
      const length = elementCount(shape);
      if (length < smallest) return { m32: { dtype: 'f32', length }, v32: { dtype: 'f32', length } };
      const blocks = Math.ceil(length / blockSize);
      return {
        ...{ m: { dtype: 'u8', length }, v: { dtype: 'u8', length } },
        ...{ scaleOfM: { dtype: 'f32', length: blocks }, scaleOfV: { dtype: 'f32', length: blocks } },
      };
    },
    update: (parameter, gradient, kept, _, { clip, learningRate, steps }) => {
      const root = Math.sqrt(1 - beta2 ** steps);
      const rate = (learningRate * root) / (1 - beta1 ** steps);
      const keep = 1 - learningRate * weightDecay;
      const { m32, v32, m = m32, v = v32, scaleOfM, scaleOfV } = kept;
      if (!m || !v) throw new Error('no moments');
      const isPacked = m instanceof Uint8Array && v instanceof Uint8Array;
      const newM = new Float32Array(blockSize);
      const newV = new Float32Array(blockSize);
      for (let start = 0, block = 0; start < parameter.length; start += blockSize, block++) {
        const end = Math.min(start + blockSize, parameter.length);
        const [ofM, ofV] = [scaleOfM?.[block] ?? 1, scaleOfV?.[block] ?? 1];
        let [mostM, mostV] = [0, 0];
        for (let i = start; i < end; i++) {
          const g = (gradient[i] as number) * clip;
          const oldM = isPacked ? (signed[m[i] as number] as number) * ofM : (m[i] as number);
          const oldV = isPacked ? (unsigned[v[i] as number] as number) * ofV : (v[i] as number);
          const nextM = Math.fround(beta1 * oldM + (1 - beta1) * g);
          const nextV = Math.fround(beta2 * oldV + (1 - beta2) * g * g);
          newM[i - start] = nextM;
          newV[i - start] = nextV;
          mostM = Math.max(mostM, Math.abs(nextM));
          mostV = Math.max(mostV, nextV);
          const step = (rate * nextM) / (Math.sqrt(nextV) + epsilon * root);
          parameter[i] = (parameter[i] as number) * keep - step;
        }
        if (!isPacked || !scaleOfM || !scaleOfV) {
          m.set(newM.subarray(0, end - start), start);
          v.set(newV.subarray(0, end - start), start);
          continue;
        }
        scaleOfM[block] = mostM;
        scaleOfV[block] = mostV;
        for (let i = start; i < end; i++) {
          m[i] = nearest(signed, (newM[i - start] as number) / (mostM || 1));
          v[i] = nearest(unsigned, (newV[i - start] as number) / (mostV || 1));
        }
      }
    },
  };
}

/** bitsandbytes' `create_dynamic_map`, sorted: the further from 1, the fewer bits are left for the fraction. */
function dynamicMap(isSigned: boolean): Float32Array {
  const values = [0, 1];
  for (let i = 0; i < 7; i++) {
    const items = isSigned ? 2 ** i : 2 ** (i + 1);
    for (let k = 0; k < items; k++) {
      const mean = 10 ** (i - 6) * (0.1 + (0.9 * (k + 0.5)) / items);
      values.push(mean);
      if (isSigned) values.push(-mean);
    }
  }
  return Float32Array.from(values).sort();
}

const signed = dynamicMap(true);
const unsigned = dynamicMap(false);

function nearest(map: Float32Array, value: number): number {
  let [low, high] = [0, map.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((map[middle] as number) <= value) low = middle;
    else high = middle;
  }
  return value - (map[low] as number) <= (map[high] as number) - value ? low : high;
}
