import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { keepHashesIn } from '../../../src-main/engine/checkpoints/contentHash.ts';
import { fitWholeLora } from '../../../src-main/engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { writeKohya, writePeft } from '../../../src-main/engine/checkpoints/lora/writeLora.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { planRemoval } from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { unetShapes } from '../../../src-main/engine/models/unetCost.ts';
import { writeDiffusers, writeSingleFile } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { exportRun } from '../../../src-main/features/export/export.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';
import { openForGeneration } from '../../../src-main/features/generation/openForGeneration.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'golden', 'fixtures');
const folder = join(fixtures, 'models', 'tiny-koala');
const model = openModelFolder(folder);
const scratch = mkdtempSync(join(tmpdir(), 'likeness-sdxl-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const start = join(fixtures, 'training', 'koala-lora', 'start');

it('writes a LoRA in the names that SDXL has in other tools, and reads it back', () => {
  const { stored } = readLora(start);
  const file = join(scratch, 'koala.safetensors');
  writeKohya(file, stored, { model });
  const names = [...readSafetensors(file).tensors.keys()];
  expect(names).toContain('lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q.lora_down.weight');
  expect(names).toContain('lora_unet_output_blocks_0_1_transformer_blocks_1_attn2_to_v.lora_up.weight');
  expect(names).toContain('lora_te1_text_model_encoder_layers_0_self_attn_q_proj.alpha');
  expect(names).toContain('lora_te2_text_model_encoder_layers_2_self_attn_v_proj.alpha');
  const [whole, back] = [start, file].map((path) => fitWholeLora(readLora(path), model).adapters);
  const byName = new Map(back?.map((one) => [`${one.part}.${one.module}`, one]));
  for (const { part, module, A, alpha } of whole ?? []) {
    const again = byName.get(`${part}.${module}`);
    expect(again?.alpha).toBe(alpha);
    expect(again?.A.data).toEqual(A.data);
  }
  // An out_proj of zeros for each text encoder, by which diffusers finds them.
  expect(back).toHaveLength((whole?.length ?? 0) + 2);
});

it('writes a folder for each network as PEFT', () => {
  const out = join(scratch, 'peft');
  writePeft(out, readLora(start).stored);
  const parts = readLora(out).stored.map(({ part }) => part);
  expect([...new Set(parts)].sort()).toEqual(['text_encoder', 'text_encoder_2', 'unet']);
  expect(parts).toHaveLength(readLora(start).stored.length);
});

it('writes the whole pipeline, which opens with the same bytes', () => {
  const out = join(scratch, 'whole');
  writeDiffusers(out, model);
  const again = openModelFolder(out);
  expect(again.zeroNegative).toBe(true);
  for (const part of ['unet', 'vae', 'textEncoder', 'textEncoder2'] as const)
    expect(again[part]?.weights.names()).toEqual(model[part]?.weights.names());
});

it('writes one file, which tells what it is and draws what the folder does', async () => {
  const file = join(scratch, 'one.safetensors');
  writeSingleFile(file, model);
  const { tensors, metadata } = readSafetensors(file);
  expect(metadata['modelspec.architecture']).toBe('stable-diffusion-xl-v1-base');
  const prefixes = new Set([...tensors.keys()].map((name) => name.split('.').slice(0, 3).join('.')));
  expect(prefixes).toContain('conditioner.embedders.1');
  expect(tensors.get('conditioner.embedders.1.model.text_projection')?.shape).toEqual([24, 20]);
  for (const name of ['tokenizer', 'tokenizer_2'])
    cpSync(join(folder, name), join(scratch, name), { recursive: true });
  keepHashesIn(join(scratch, 'cache'));
  const [whole, one] = await Promise.all([folder, file].map(drawn));
  expect(one).toEqual(whole);
  keepHashesIn(join(tmpdir(), 'nowhere'));
});

/** A picture's pixels. */
async function drawn(path: string): Promise<Buffer | Uint8Array | undefined> {
  const { textToImage } = await openForGeneration(
    { model: path, loras: [], provider: 'cpu' },
    () => undefined,
  );
  const how = { steps: 2, guidance: 3, width: 64, height: 64 };
  try {
    for await (const { picture } of textToImage.generate([{ prompt: 'a dog', seed: 1 }], how))
      return picture.data;
    return undefined;
  } finally {
    await textToImage.dispose();
  }
}

it('tells what a model and a LoRA of the family are', async () => {
  const { report } = await inspect(folder);
  expect(report).toMatchObject({
    family: 'KOALA (Stable Diffusion XL, without the mid block)',
    problems: [],
  });
  expect('parameters' in report && report.parameters).toMatchObject({
    text_encoder_2: model.textEncoder2?.weights.parameterCount,
  });
  const lora = (await inspect(start)).report;
  expect(lora).toMatchObject({ kind: 'lora', modules: { text_encoder: 2, text_encoder_2: 6 }, problems: [] });
});

it('refuses by name what is not built for it', async () => {
  const request = { model: folder, loras: [], provider: 'cpu' } as const;
  const open = (more: object) => openForGeneration({ ...request, ...more }, () => undefined);
  await expect(open({ clipSkip: 1 })).rejects.toThrow(/clip skip/);
  const word = join(scratch, 'word.safetensors');
  writeSafetensors(word, [{ name: 'emb_params', tensor: f32([1, 16]) }]);
  await expect(open({ embeddings: [{ path: word }] })).rejects.toThrow(/embeddings/);
});

it('loses blocks with their depths', () => {
  const teacher = openModelFolder(join(fixtures, 'models', 'tiny-ssd'));
  const removal = planRemoval(teacher.unet.config, ['down_blocks.1.1', 'up_blocks.1.1', 'mid_block']);
  const { config, weights } = studentOf(teacher, removal).unet;
  expect(config).toMatchObject({
    ...{ layers_per_block: [2, 1, 2], mid_block_type: null },
    transformer_layers_per_block: [[1, 1], [2], [1, 2]],
    reverse_transformer_layers_per_block: [
      [2, 1, 3],
      [2, 1],
      [1, 1, 1],
    ],
  });
  expect(weights.names()).toHaveLength(unetShapes(config).size);
});

it('a run that trained both text encoders has each in its own weights, in every format', async () => {
  const run = join(scratch, 'run');
  const record = join(fixtures, 'training', 'koala-lora', 'replay.safetensors');
  const context = { report: () => undefined, signal: new AbortController().signal };
  const settings = {
    ...{ model: folder, replay: record, steps: 2, learningRate: 1e-2, provider: 'cpu' as const },
    textLora: { rank: 2, alpha: 2, targets: ['q_proj', 'out_proj'] },
  };
  await finetune({ out: run, resume: false, settings }, context, 'test');
  for (const format of ['diffusers', 'single-file', 'kohya', 'peft'] as const) {
    const out = join(scratch, `both ${format}`);
    const { maxError } = await exportRun({ run, format, out, dtype: 'f32', transformers: 5 }, context);
    expect(maxError, format).toBeLessThan(1e-4);
  }
  const moved = openModelFolder(join(scratch, 'both diffusers'));
  for (const part of ['textEncoder', 'textEncoder2'] as const) {
    const name = 'text_model.encoder.layers.0.self_attn.q_proj.weight';
    const [before, after] = [model, moved].map((one) => one[part]?.weights.get(name));
    if (!before || !after) throw new Error(`${part} has no ${name}`);
    expect(after.shape).toEqual(before.shape);
    expect(readF32(after).data).not.toEqual(readF32(before).data);
  }
});

it("refuses SDXL's refiner, which has the second text encoder alone", () => {
  const refiner = join(scratch, 'refiner');
  cpSync(folder, refiner, { recursive: true });
  rmSync(join(refiner, 'text_encoder'), { recursive: true });
  expect(() => openModelFolder(refiner)).toThrow(/refiner/);
});
