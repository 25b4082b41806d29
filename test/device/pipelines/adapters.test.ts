import { expect, it } from 'vitest';
import type { LoraAdapter } from '../../../src-main/engine/checkpoints/lora/weightChanges.ts';
import { mergeLora } from '../../../src-main/engine/checkpoints/lora/mergeLora.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { expectTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { bindLoras, type WeightedLora } from '../../../src-main/engine/pipelines/adapters.ts';
import { Networks } from '../../../src-main/engine/pipelines/networks.ts';
import type { WeightLookup } from '../../../src-main/engine/pipelines/weights.ts';
import { Tensor } from '../../../src-main/engine/runtime/tensor.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import { i64, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const model = openModelFolder(`${import.meta.dirname}/../../golden/fixtures/models/tiny-sd1`);
const attention = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1';
const generator = new TorchGenerator(11);
const randn = (shape: readonly number[], scale = 1): HostTensor<'f32'> => ({
  dtype: 'f32',
  shape,
  data: generator.randn(shape).map((value) => value * scale),
});

/** A random adapter for a module of the fixture model; matrices of 1×1 convolutions in Linear's form, as some tools write them. */
function adapter(part: 'unet' | 'text_encoder', module: string, rank: number, alpha: number): LoraAdapter {
  const { weights } = part === 'unet' ? model.unet : model.textEncoder;
  const shape = weights.get(`${module}.weight`)?.shape ?? [];
  const [outputs = 0, inputs = 0, ...kernel] = shape[2] === 1 ? shape.slice(0, 2) : shape;
  const B = randn([outputs, rank, ...kernel.map(() => 1)], 0.2);
  return { part, module, rank, alpha, A: randn([rank, inputs, ...kernel], 0.2), B };
}

const loras: WeightedLora[] = [
  {
    weight: 0.7,
    adapters: [
      adapter('unet', `${attention}.to_q`, 4, 6),
      adapter('unet', `${attention}.to_out.0`, 2, 2),
      adapter('unet', 'down_blocks.0.resnets.0.conv1', 3, 1),
      adapter('unet', 'down_blocks.0.attentions.0.proj_in', 2, 3),
    ],
  },
  {
    weight: -0.5,
    adapters: [
      adapter('unet', `${attention}.to_q`, 3, 3),
      adapter('text_encoder', 'text_model.encoder.layers.1.self_attn.v_proj', 2, 4),
    ],
  },
  { weight: 0, adapters: [adapter('unet', `${attention}.to_q`, 2, 1e6)] },
];

/** The same, added to the weights beforehand. */
function merged(): WeightLookup {
  const all = loras.flatMap(({ adapters, weight }) => adapters.map((one) => ({ adapter: one, weight })));
  const found = new Map<string, HostTensor>();
  for (const part of ['unet', 'text_encoder'] as const) {
    const { weights } = part === 'unet' ? model.unet : model.textEncoder;
    for (const [name, tensor] of mergeLora(
      weights,
      all.filter((one) => one.adapter.part === part),
    ))
      if ('compute' in tensor) found.set(`${part}.${name}`, tensor.compute());
  }
  return (name) => found.get(name);
}

const [ids, sample] = [
  i64(
    [1, 77],
    Array.from({ length: 77 }, (_, i) => i + 3),
  ),
  randn([1, 4, 8, 8]),
];

async function run(networks: Networks): Promise<number[]> {
  const context = await networks.encodeText(ids);
  const predicted = await networks.predict(
    sample,
    { dtype: 'f32', shape: [1], data: Float32Array.of(300) },
    context,
  );
  await networks.release();
  return [...predicted.data];
}

it('mixes LoRAs at their weights as if they were merged', async () => {
  const { adapters, matrices } = bindLoras(loras);
  const plain = await run(new Networks(model));
  const mixed = await run(new Networks(model, { adapters, own: matrices }));
  const reference = await run(new Networks(model, { own: merged() }));
  const largest = Math.max(...reference.map(Math.abs));
  const furthest = (values: number[]) =>
    Math.max(...values.map((value, i) => Math.abs(value - (reference[i] as number))));
  expect(furthest(mixed) / largest).toBeLessThan(1e-4);
  expect(furthest(plain) / largest).toBeGreaterThan(1e-2);
});

it('is fed the weights that are given anew at every run', async () => {
  const name = 'unet.conv_in.bias';
  const { shape } = expectTensor(model.unet.weights, 'conv_in.bias', [
    model.unet.config.block_out_channels[0] as number,
  ]);
  const bias = new Float32Array(shape[0] as number);
  const networks = new Networks(model, { fed: { [name]: Tensor.from({ dtype: 'f32', shape, data: bias }) } });
  const timesteps: HostTensor<'f32'> = { dtype: 'f32', shape: [1], data: Float32Array.of(300) };
  const context = await networks.encodeText(ids);
  const before = await networks.predict(sample, timesteps, context);
  bias.fill(3);
  const after = await networks.predict(sample, timesteps, context);
  expect(after.data).not.toEqual(before.data);
  await networks.release();
});
