import { describe, expect, it } from 'vitest';
import { apply, conv2d, input } from '../../../src-main/engine/graph/build.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { onnxModel } from '../../../src-main/engine/onnx/model.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import type { HostTensor, Shape } from '../../../src-main/engine/tensor/tensor.ts';
import { expectClose } from '../../golden/gradients/opGoldens.ts';
import { runOn } from '../../golden/gradients/runOn.ts';

const layout = { stride: [1, 1], padding: [1, 1, 1, 1] } as const;

/** The three products of one 3×3 convolution of `x` [b,i,h,w] with `outputs` channels. */
function convolution(
  x: Shape,
  outputs: number,
): { out: Value; back: Value; weight: Value; feeds: Record<string, HostTensor> } {
  const [batch, inputs, height, width] = x as [number, number, number, number];
  const shapes = { x, w: [outputs, inputs, 3, 3], bias: [outputs], g: [batch, outputs, height, width] };
  const generator = new TorchGenerator(0);
  const leaf = (name: keyof typeof shapes): Value => input(name, shapes[name]);
  const [pictures, weight, gradient] = [leaf('x'), leaf('w'), leaf('g')];
  return {
    out: conv2d(pictures, weight, leaf('bias'), layout),
    back: apply('conv2dInputGradient', [gradient, weight], { ...layout, size: [height, width] }),
    weight: apply('conv2dWeightGradient', [pictures, gradient], { ...layout, kernel: [3, 3] }),
    feeds: Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        { dtype: 'f32' as const, shape, data: generator.randn(shape) },
      ]),
    ),
  };
}

const fused = (outputs: Record<string, Value>): boolean =>
  Buffer.from(onnxModel({ outputs }, { target: 'cpu' })).includes('FusedMatMul');

describe('Winograd’s convolution', () => {
  it.each([
    ['square', [4, 32, 16, 16], 48],
    ['fewer outputs', [1, 40, 24, 48], 32],
    ['in several rounds', [1, 1024, 32, 32], 1024],
  ] as const)(
    'is the direct one: %s',
    async (_, shape, outputs) => {
      const { feeds, ...products } = convolution(shape, outputs);
      const [fast, direct] = [await runOn('cpu', products, feeds), await runOn('portable', products, feeds)];
      for (const [name, product] of Object.entries(products)) {
        expect(fused({ [name]: product })).toBe(true);
        expectClose(fast[name], direct[name] as HostTensor, 2e-5);
      }
    },
    120_000,
  );

  it.each([
    ['few tiles', [1, 32, 16, 16]],
    ['odd sizes', [4, 32, 18, 17]],
    ['few channels', [4, 4, 64, 64]],
  ] as const)('is left for small or odd shapes: %s', (_, shape) => {
    const { out, back } = convolution(shape, 32);
    expect([fused({ out }), fused({ back })]).toEqual([false, false]);
  });
});
