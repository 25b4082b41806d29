import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitLora } from '../../../src-main/engine/checkpoints/lora/fitLora.ts';
import { readLora, type Lora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import type { LoraAdapter } from '../../../src-main/engine/checkpoints/lora/weightChanges.ts';
import { mergeLora } from '../../../src-main/engine/checkpoints/lora/mergeLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import {
  writeDiffusersLora,
  writeKohya,
  writePeft,
} from '../../../src-main/engine/checkpoints/lora/writeLora.ts';
import type { Computed } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const model = openModel(join(fixtures, 'models/tiny-sd1'));
const byPeft = readLora(join(fixtures, 'checkpoints/peft'));

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-lora-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const sorted = (lora: Pick<Lora, 'adapters'>): LoraAdapter[] =>
  [...lora.adapters].sort((a, b) => (a.module < b.module ? -1 : 1));

describe('reading a LoRA', () => {
  it.each([
    ['PEFT folder', 'peft'],
    ['diffusers file', 'lora-diffusers.safetensors'],
  ])('%s: merged, it moves the weights as PEFT does', (_, path) => {
    const lora = readLora(join(fixtures, 'checkpoints', path));
    const { adapters, unmatched } = fitLora(lora, model);
    expect(unmatched).toEqual([]);
    const deltas = readSafetensors(join(fixtures, 'checkpoints/lora-deltas.safetensors')).tensors;
    expect(adapters.map(({ part, module }) => `${part}.${module}`).sort()).toEqual([...deltas.keys()].sort());
    for (const adapter of adapters) {
      const { weights } = adapter.part === 'unet' ? model.unet : model.textEncoder;
      const name = `${adapter.module}.weight`;
      const before = readF32(weights.get(name) as FileTensor).data;
      const after = (mergeLora(weights, [{ adapter, weight: 0.5 }]).get(name) as Computed).compute();
      const delta = readF32(deltas.get(`${adapter.part}.${adapter.module}`) as FileTensor).data;
      const largest = delta.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(largest).toBeGreaterThan(1e-3);
      after.data.forEach((value, i) => {
        const moved = (value as number) - (before[i] as number);
        expect(Math.abs(moved - 0.5 * (delta[i] as number))).toBeLessThan(1e-5);
      });
    }
  });

  it('is not half a LoRA: a folder with a config and no weights is refused', () => {
    const half = join(scratch, 'half');
    cpSync(join(fixtures, 'checkpoints/peft'), half, { recursive: true });
    rmSync(join(half, 'unet', 'adapter_model.safetensors'));
    expect(() => readLora(half)).toThrow(expect.objectContaining({ code: 'weights.none' }) as Error);
  });

  it('takes rank and alpha from where the file has them', () => {
    for (const path of ['peft', 'lora-diffusers.safetensors'])
      for (const { part, rank, alpha } of readLora(join(fixtures, 'checkpoints', path)).adapters)
        expect({ rank, alpha }).toEqual({ rank: 2, alpha: part === 'unet' ? 6 : 5 });
  });
});

describe('writing a LoRA', () => {
  it.each([4, 5] as const)('PEFT folder with the names of transformers %d, inside a run', (transformers) => {
    const run = join(scratch, `run ${transformers}`);
    const latest = join(run, 'checkpoints', '000100');
    writePeft(join(run, 'checkpoints', '000020'), [], { transformers });
    writePeft(latest, byPeft.adapters, { transformers });
    expect(sorted(readLora(run))).toEqual(sorted(byPeft));
    const names = readSafetensors(join(latest, 'text_encoder/adapter_model.safetensors')).tensors;
    const prefix = transformers === 4 ? 'base_model.model.text_model.encoder' : 'base_model.model.encoder';
    for (const name of names.keys()) expect(name.startsWith(prefix)).toBe(true);
  });

  it.each([
    ['/home/ada/models/tiny-sd', 'tiny-sd'],
    [
      `/home/ada/.cache/huggingface/hub/models--nota-ai--bk-sdm-tiny/snapshots/${'a'.repeat(40)}`,
      'nota-ai/bk-sdm-tiny',
    ],
  ])('a PEFT folder names its model and no place on this machine: %s', (baseModel, name) => {
    const folder = join(scratch, 'named');
    writePeft(folder, byPeft.adapters, { baseModel });
    for (const part of ['unet', 'text_encoder']) {
      const config: unknown = JSON.parse(readFileSync(join(folder, part, 'adapter_config.json'), 'utf8'));
      expect(config).toMatchObject({ base_model_name_or_path: name });
    }
  });

  it('keeps ranks and alphas that differ between modules', () => {
    const [first, ...rest] = byPeft.adapters as [LoraAdapter, ...LoraAdapter[]];
    const wider: LoraAdapter = {
      ...first,
      rank: 4,
      alpha: 3,
      A: {
        ...first.A,
        shape: [4, ...first.A.shape.slice(1)],
        data: new Float32Array(2 * first.A.data.length).fill(0.25),
      },
      B: {
        ...first.B,
        shape: [first.B.shape[0] as number, 4, ...first.B.shape.slice(2)],
        data: new Float32Array(2 * first.B.data.length).fill(0.5),
      },
    };
    const adapters = [wider, ...rest];
    writePeft(join(scratch, 'mixed'), adapters);
    writeKohya(join(scratch, 'mixed.safetensors'), adapters);
    const expected = sorted({ adapters });
    expect(sorted(readLora(join(scratch, 'mixed')))).toEqual(expected);
    const read = sorted(readLora(join(scratch, 'mixed.safetensors')));
    expect(read.filter(({ module }) => !module.endsWith('out_proj'))).toEqual(expected);
  });

  it("diffusers' file: its names and metadata, and what is read back is the same", () => {
    const folder = join(scratch, 'for diffusers');
    mkdirSync(folder);
    writeDiffusersLora(folder, byPeft.adapters, { metadata: { 'modelspec.title': 'dog' } });
    expect(sorted(readLora(folder))).toEqual(sorted(byPeft));
    const { tensors, metadata } = readSafetensors(join(folder, 'pytorch_lora_weights.safetensors'));
    const theirs = readSafetensors(join(fixtures, 'checkpoints/lora-diffusers.safetensors'));
    // diffusers' exporter leaves PEFT's names to convolutions and transformers 5's to the text encoder; it reads these too.
    const published = [...theirs.tensors.keys()].map((name) =>
      name
        .replace('text_encoder.encoder', 'text_encoder.text_model.encoder')
        .replace('.lora_A.', '.lora.down.')
        .replace('.lora_B.', '.lora.up.'),
    );
    expect([...tensors.keys()].sort()).toEqual(published.sort());
    expect(metadata['modelspec.title']).toBe('dog');
    expect(JSON.parse(metadata['lora_adapter_metadata'] ?? '')).toMatchObject({
      'unet.r': 2,
      'unet.lora_alpha': 6,
      'text_encoder.lora_alpha': 5,
      'text_encoder.target_modules': ['encoder.layers.1.self_attn.q_proj'],
    });
  });

  it('kohya file: names, shapes and alphas of its trainer', () => {
    const file = join(scratch, 'kohya.safetensors');
    writeKohya(file, byPeft.adapters, { dtype: 'f16', metadata: { ss_base_model_version: 'sd_v1' } });
    const { tensors, metadata } = readSafetensors(file);
    expect(metadata).toMatchObject({ ss_network_dim: '2', ss_base_model_version: 'sd_v1' });
    expect(tensors.get('lora_unet_down_blocks_0_resnets_0_conv1.lora_down.weight')).toMatchObject({
      dtype: 'f16',
      shape: [2, 8, 3, 3],
    });
    expect(tensors.get('lora_unet_down_blocks_0_resnets_0_conv1.lora_up.weight')).toMatchObject({
      shape: [8, 2, 1, 1],
    });
    expect(tensors.get('lora_te_text_model_encoder_layers_1_self_attn_q_proj.alpha')).toMatchObject({
      shape: [],
    });
    // diffusers 0.42 refuses a text encoder part without an out_proj: a pair of zeros stands there.
    const empty = 'lora_te_text_model_encoder_layers_1_self_attn_out_proj';
    for (const matrix of ['down', 'up'])
      expect(readF32(tensors.get(`${empty}.lora_${matrix}.weight`) as FileTensor).data.some(Boolean)).toBe(
        false,
      );
    expect(tensors.size).toBe(3 * (byPeft.adapters.length + 1));
    expect(fitLora(readLora(file), model).unmatched).toEqual([]);
  });
});
