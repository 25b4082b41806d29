import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { hasVersion2UNet } from '../../../src-main/engine/checkpoints/singleFile.ts';
import { inferClipConfig } from '../../../src-main/engine/checkpoints/singleFileConfig.ts';
import { renamer, swapped } from '../../../src-main/engine/checkpoints/names/renamer.ts';
import { unetNames, vaeNames } from '../../../src-main/engine/checkpoints/names/singleFile.ts';
import { readF32, type TensorEntry } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSingleFile } from '../../../src-main/engine/checkpoints/writeModel.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const names = JSON.parse(
  readFileSync(join(fixtures, 'checkpoints/single-file-names.json'), 'utf8'),
) as Record<string, { unet: Record<string, string>; vae: Record<string, string> }>;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-single-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function expectSameModel(found: Model, expected: Model, withinHalf: boolean): void {
  for (const part of ['unet', 'vae', 'textEncoder'] as const) {
    expect(found[part].config).toEqual(expected[part].config);
    expect(found[part].weights.names().sort()).toEqual(expected[part].weights.names().sort());
    for (const name of expected[part].weights.names()) {
      const ours = readF32(found[part].weights.get(name) as TensorEntry);
      const theirs = readF32(expected[part].weights.get(name) as TensorEntry);
      expect(ours.shape, name).toEqual(theirs.shape);
      const difference = ours.data.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - (theirs.data[i] as number))),
        0,
      );
      expect(difference, name).toBeLessThanOrEqual(withinHalf ? 2e-3 : 0);
    }
  }
}

describe('a version 2 file whose text encoder has the names of transformers', () => {
  const layer = 'text_model.encoder.layers.0';
  const shapes = new Map([
    ['text_model.embeddings.token_embedding.weight', [49408, 1024]],
    ['text_model.embeddings.position_embedding.weight', [77, 1024]],
    [`${layer}.mlp.fc1.weight`, [4096, 1024]],
    [`${layer}.layer_norm1.weight`, [1024]],
  ]);
  it.each([
    [true, 'gelu'],
    [false, 'quick_gelu'],
  ] as const)('version 2 %s: its activation is %s', (isVersion2, hidden_act) => {
    expect(inferClipConfig(shapes, 'x', isVersion2)).toMatchObject({ hidden_act, num_attention_heads: 16 });
  });

  it('is told by its U-Net', () => {
    const entry = (shape: number[]) =>
      ({ dtype: 'f32', shape, file: 'x', offset: 0, byteLength: 0 }) as const;
    const raw = (name: string, shape: number[]) => new Map([[name, entry(shape)]]);
    expect(hasVersion2UNet(raw('input_blocks.1.1.proj_in.weight', [320, 320]))).toBe(true);
    expect(hasVersion2UNet(raw('input_blocks.1.1.proj_in.weight', [320, 320, 1, 1]))).toBe(false);
    const keys = 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight';
    expect(hasVersion2UNet(raw(keys, [320, 1024]))).toBe(true);
    expect(hasVersion2UNet(raw(keys, [320, 768]))).toBe(false);
  });
});

describe.each(Object.keys(names))('single-file names of %s', (name) => {
  const model = openModel(join(fixtures, 'models', name));
  const pairs = { unet: unetNames(model.unet.config), vae: vaeNames(model.vae.config) };

  it.each(['unet', 'vae'] as const)('%s: both ways as in diffusers', (part) => {
    const golden = (names[name] as (typeof names)[string])[part];
    const toOurs = renamer(pairs[part]);
    const toTheirs = renamer(swapped(pairs[part]));
    const found = Object.keys(golden).map((theirs) => [theirs, toOurs(theirs)]);
    expect(Object.fromEntries(found)).toEqual(golden);
    expect(Object.values(golden).map(toTheirs)).toEqual(Object.keys(golden));
    expect(Object.values(golden).sort()).toEqual(model[part].weights.names().sort());
  });

  it('comes back from our own single file as it was', () => {
    const file = join(scratch, `${name} 🎈.safetensors`);
    writeSingleFile(file, model);
    const back = openModel(file);
    expectSameModel(back, model, false);
    expect(back.scheduler).toEqual(model.scheduler);
  });
});

describe('a Stable Diffusion 2 single file by another tool', () => {
  const reference = openModel(join(fixtures, 'models/tiny-sd2'));

  it('is read with the configs of the diffusers folder beside it, q, k and v cut out of in_proj', () => {
    cpSync(join(fixtures, 'models/tiny-sd2'), join(scratch, 'tiny-sd2'), { recursive: true });
    cpSync(join(fixtures, 'checkpoints/tiny-sd2.safetensors'), join(scratch, 'tiny-sd2.safetensors'));
    const model = openModel(join(scratch, 'tiny-sd2.safetensors'));
    expectSameModel(model, reference, true);
    expect(model.scheduler).toEqual(reference.scheduler);
    expect(model.tokenizer?.vocabFile).toBe(join(scratch, 'tiny-sd2/tokenizer/vocab.json'));
  });

  it('says what is unclear where no config tells the number of heads', () => {
    expect(() => openModel(join(fixtures, 'checkpoints/tiny-sd2.safetensors'))).toThrow('attention heads');
  });
});
