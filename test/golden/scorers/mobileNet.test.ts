import path from 'node:path';
import { expect, it } from 'vitest';
import { readMobileNet } from '../../../src-main/engine/checkpoints/mobileNetFile.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { cosine } from '../../../src-main/engine/evaluation/features.ts';
import { MobileNetFeatures } from '../../../src-main/engine/evaluation/mobileNetFeatures.ts';
import { relativeError } from '../models/goldens.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const file = path.resolve('resources/scorers/mobilenet-v2.safetensors');
const golden = readSafetensors(`${import.meta.dirname}/../fixtures/scorers/mobilenet.safetensors`).tensors;
const bytes = readTensor(golden.get('pictures') as FileTensor).data as Uint8Array;
const expected = readTensor(golden.get('features') as FileTensor);
const pixels = 224 * 224;

it("gives torch's features of the same weights", { timeout: 120_000 }, async () => {
  const features = await MobileNetFeatures.open(file);
  const pictures = [0, 1].map((i) =>
    Float32Array.from(
      { length: 3 * pixels },
      (_, at) => (bytes[(i * pixels + (at % pixels)) * 3 + Math.floor(at / pixels)] as number) / 255,
    ),
  );
  const { data } = await features.run(pictures);
  const found = { dtype: 'f32', shape: [2, 1792], data: data.slice(0, 2 * 1792) } as const;
  expect(relativeError(found, expected)).toBeLessThan(1e-4);

  const picture = (i: number) => ({
    width: 224,
    height: 224,
    data: bytes.slice(i * pixels * 3, (i + 1) * pixels * 3),
  });
  const vectors = await features.pictures([0, 1, 0, 0, 1].map(picture));
  expect(cosine(vectors[0] as Float32Array, vectors[3] as Float32Array)).toBeCloseTo(1, 5);
  const [a, b] = [0, 1].map((i) => (expected.data as Float32Array).slice(i * 1792, (i + 1) * 1792)) as [
    Float32Array,
    Float32Array,
  ];
  const angle = cosine(a, b) / Math.sqrt(cosine(a, a) * cosine(b, b));
  expect(cosine(vectors[0] as Float32Array, vectors[4] as Float32Array)).toBeCloseTo(angle, 4);
  await features.dispose();
});

it('refuses a file that is no such network', () => {
  expect(() => readMobileNet(path.resolve('test/golden/fixtures/scorers/mobilenet.safetensors'))).toThrow(
    /config/,
  );
});
