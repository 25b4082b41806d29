import { describe, expect, it } from 'vitest';
import { apply, conv2d, gemm, input, parameter, slice } from '../../../src-main/engine/graph/build.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { splitKernels } from '../../../src-main/engine/graph/splitKernels.ts';
import { onnxModel } from '../../../src-main/engine/onnx/model.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { elementCount, type HostTensor, type Shape } from '../../../src-main/engine/tensor/tensor.ts';
import { expectClose } from '../../golden/gradients/opGoldens.ts';
import { runOn } from '../../golden/gradients/runOn.ts';

const generator = new TorchGenerator(3);
const normal = (shape: Shape): HostTensor<'f32'> => ({ dtype: 'f32', shape, data: generator.randn(shape) });

/** The input gradient of a convolution of stride 1, whose sizes follow from the padding. */
function inputGradient(
  [inputs, outputs]: readonly [number, number],
  [tall, wide]: readonly [number, number],
  padding: readonly [number, number, number, number],
) {
  const size = [5, 4] as const;
  const [top, left, bottom, right] = padding;
  const shapes = {
    g: [2, outputs, size[0] + top + bottom - tall + 1, size[1] + left + right - wide + 1],
    w: [outputs, inputs, tall, wide],
  };
  const feeds = { g: normal(shapes.g), w: normal(shapes.w) };
  const operands = [input('g', shapes.g), input('w', shapes.w)];
  const back = apply('conv2dInputGradient', operands, { stride: [1, 1], padding, size });
  return { outputs: { back }, feeds };
}

const places = (outputs: Record<string, Value>): string[] =>
  Buffer.from(onnxModel({ outputs }, { target: 'device' }))
    .toString('latin1')
    .match(/Slice|Transpose|ConvTranspose/g) ?? [];

describe('on a device, an input gradient', () => {
  it.each([
    ['as in a U-Net', [64, 48], [3, 3], [1, 1, 1, 1]],
    ['with padding of its own on each side', [64, 48], [3, 3], [0, 1, 2, 1]],
    ['of a kernel that is not square', [64, 80], [3, 2], [2, 0, 1, 1]],
  ] as const)(
    'turns the pictures where they are smaller than the kernel: %s',
    async (_, channels, kernel, padding) => {
      const { outputs, feeds } = inputGradient(channels, kernel, padding);
      expect(places(outputs).filter((op) => op === 'Slice').length).toBeGreaterThanOrEqual(2);
      expect(places(outputs)).not.toContain('ConvTranspose');
      const [turned, direct] = [
        await runOn('device', outputs, feeds),
        await runOn('portable', outputs, feeds),
      ];
      expectClose(turned['back'], direct['back'] as HostTensor, 1e-5);
    },
  );
});

describe('weights that are cast at each run', () => {
  const layout = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;
  const leavesOf = () => ({
    x: input('x', [1, 640, 2, 3]),
    rows: input('rows', [3, 640]),
    kernel: parameter('kernel', [1280, 640, 3, 3]),
    bias: parameter('bias', [1280]),
    matrix: parameter('matrix', [8192, 640]),
    biases: parameter('biases', [8192]),
  });
  const graph = () => {
    const { x, rows, kernel, bias, matrix, biases } = leavesOf();
    const out = conv2d(x, kernel, bias, layout);
    // Some rows of a matrix, as in a feed-forward layer whose halves are computed apart.
    const some = (whole: Value): Value => slice(whole, 0, 2048, 8192);
    return { outputs: { out, product: gemm(rows, some(matrix), false, true, some(biases)) } };
  };
  const weightsIn = (outputs: Record<string, Value>): Value[] =>
    Object.values(outputs).flatMap(function weights(value: Value): Value[] {
      const [, weight] = value.inputs;
      const own = value.op === 'conv2d' || value.op === 'gemm' ? [weight as Value] : [];
      return [...own, ...value.inputs.flatMap(weights)];
    });

  it('are used in stretches of as many weights, to the same numbers', async () => {
    const whole = graph();
    const split = splitKernels(whole, () => 'f16');
    const pieces = weightsIn(split.outputs);
    // Each read from its place in the file.
    for (const { op, inputs } of pieces) expect([op, inputs[0]?.op]).toEqual(['slice', 'parameter']);
    const sizes = pieces.map(({ shape }) => elementCount(shape));
    expect(sizes).toEqual(
      [384, 384, 384, 128]
        .map((outputs) => outputs * 640 * 9)
        .concat([3456, 2688].map((outputs) => outputs * 640)),
    );
    const all = [...leaves(whole, 'input'), ...leaves(whole, 'parameter')];
    const feeds = Object.fromEntries(all.map(([name, { shape }]) => [name, normal(shape)]));
    const [found, expected] = [
      await runOn('portable', split.outputs, feeds),
      await runOn('portable', whole.outputs, feeds),
    ];
    for (const name of ['out', 'product']) expectClose(found[name], expected[name] as HostTensor, 2e-5);
  });

  it('stay whole where they are computed with as they are stored', () => {
    const whole = graph();
    expect(splitKernels(whole, () => 'f32')).toBe(whole);
  });
});

describe('a kernel of 19 million weights', () => {
  const [inputs, outputs] = [1024, 2048];
  const leavesOf = () => ({
    x: input('x', [1, inputs, 2, 3]),
    g: input('g', [1, outputs, 2, 3]),
    weight: parameter('w', [outputs, inputs, 3, 3]),
    bias: parameter('b', [outputs]),
  });
  const layout = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;
  const graph = () => {
    const { x, g, weight, bias } = leavesOf();
    const out = conv2d(x, weight, bias, layout);
    const back = apply('conv2dInputGradient', [g, weight], { ...layout, size: [2, 3] });
    return { outputs: { out, back } };
  };

  it('is used in stretches, to the same numbers', async () => {
    const whole = graph();
    const split = splitKernels(whole, () => 'f32');
    const feeds = Object.fromEntries(
      [...leaves(whole, 'input'), ...leaves(whole, 'parameter')].map(([name, { shape }]) => [
        name,
        normal(shape),
      ]),
    );
    const [found, expected] = [
      await runOn('portable', split.outputs, feeds),
      await runOn('portable', whole.outputs, feeds),
    ];
    for (const name of ['out', 'back']) expectClose(found[name], expected[name] as HostTensor, 2e-5);
  });

  it('takes no kernel of more than 8 million elements, and none twice', () => {
    const { outputs } = splitKernels(graph(), () => 'f32');
    const pieces = Object.values(outputs).flatMap(function kernels(value: Value): Value[] {
      const [, weight] = value.inputs;
      const own = value.op === 'conv2d' || value.op === 'conv2dInputGradient' ? [weight as Value] : [];
      return [...own, ...value.inputs.flatMap(kernels)];
    });
    expect(pieces.length).toBe(8);
    expect(new Set(pieces).size).toBe(4);
    for (const { op, shape } of pieces) expect([op, elementCount(shape) <= 1 << 23]).toEqual(['slice', true]);
  });

  it('stays whole where it is fed, or small', () => {
    const whole = graph();
    expect(splitKernels(whole, () => undefined)).toBe(whole);
    const small = conv2d(input('x', [1, 64, 4, 4]), parameter('w', [64, 64, 3, 3]), undefined, layout);
    const other = { outputs: { small } };
    expect(splitKernels(other, () => 'f32')).toBe(other);
  });
});
