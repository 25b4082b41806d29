import path from 'node:path';
import { expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { featuresOf, readPackage } from '../../../src-main/engine/coreml/readPackage.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

/** Made by coremltools, with results by numpy: reference/make_coreml_goldens.py. */
const folder = path.resolve('test/golden/fixtures/coreml');

it("understands a package that coremltools wrote: its program's result is numpy's", async () => {
  const file = path.join(folder, 'tiny.mlpackage');
  expect(featuresOf(file)).toEqual(['x', 'shares']);
  const { graph, weights } = readPackage(file);
  const { tensors } = readSafetensors(path.join(folder, 'expected.safetensors'));
  const [x, expected] = ['x', 'shares'].map((name) => readF32(tensors.get(name) as FileTensor));
  const session = await Session.compile(graph, { weights });
  const { shares } = await session.run({ x: Tensor.from(x as NonNullable<typeof x>) });
  await session.dispose();
  const got = shares?.host.data as Float32Array;
  expect(got).toHaveLength(81);
  got.forEach((value, i) => expect(value).toBeCloseTo(expected?.data[i] as number, 4));
});
