import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readEmbedding } from '../../../src-main/engine/checkpoints/embedding.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-foreign-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const fixtures = path.resolve('test/golden/fixtures');

function put(name: string, bytes: Buffer | string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, bytes);
  return file;
}

/** A file of small tensors with these names. */
function withTensors(...names: readonly string[]): string {
  const file = path.join(scratch, 'x.safetensors');
  const tensor = { dtype: 'f32', shape: [2, 2], data: new Float32Array(4) } as const;
  writeSafetensors(
    file,
    names.map((name) => ({ name, tensor })),
  );
  return file;
}

const said = (read: () => unknown): string => {
  try {
    read();
    return 'read';
  } catch (error) {
    return String(error);
  }
};

describe.each([
  [/a ControlNet/, ['control_model.time_embed.0.weight', 'control_model.input_blocks.0.0.weight']],
  [/an IP-Adapter/, ['image_proj.proj.weight', 'ip_adapter.1.to_k_ip.weight']],
  [/a T2I-Adapter/, ['body.0.block1.weight', 'conv_in.weight']],
  [/a motion module/, ['down_blocks.0.motion_modules.0.temporal_transformer.norm.weight', 'a']],
  [/an upscaler/, ['model.0.weight', 'model.1.sub.0.RDB1.conv1.0.weight']],
  [/a hypernetwork/, ['320.linear.0.weight', '320.linear.1.weight']],
  [/a VAE alone/, ['encoder.conv_in.weight', 'decoder.conv_in.weight']],
])('%s', (kind, names) => {
  it('is called that, whatever it was given as', () => {
    const file = withTensors(...names);
    for (const read of [openModel, readLora, readEmbedding]) expect(said(() => read(file))).toMatch(kind);
  });
});

it('what goes on top of a model is told apart', () => {
  const inversion = withTensors('emb_params');
  expect(said(() => openModel(inversion))).toMatch(/is a textual inversion/);
  expect(said(() => readLora(inversion))).toMatch(/not a LoRA but a textual inversion/);
  const lora = path.join(fixtures, 'checkpoints/lora-diffusers.safetensors');
  expect(said(() => openModel(lora))).toMatch(/is a LoRA/);
  expect(said(() => readEmbedding(lora))).toMatch(/not an embedding but a LoRA/);
  const model = path.join(fixtures, 'checkpoints/tiny-sd2.safetensors');
  expect(said(() => readLora(model))).toMatch(/not a LoRA but a whole model/);
  const video = 'diffusion_model.blocks.0.self_attn.q.lora';
  expect(said(() => readLora(withTensors(`${video}_A.weight`, `${video}_B.weight`)))).toMatch(/makes video/);
});

it.each([
  ['RAR', Buffer.from('Rar!\x1a\x07\x01\x00'.padEnd(900, 'x'), 'latin1'), /a RAR archive.*unpack/],
  ['7z', Buffer.from('7z\xbc\xaf\x27\x1c'.padEnd(900, 'x'), 'latin1'), /a 7z archive.*unpack/],
  ['gzip', Buffer.from('\x1f\x8b\x08\x00'.padEnd(900, 'x'), 'latin1'), /a compressed file.*unpack/],
  ['GGUF', Buffer.from('GGUF'.padEnd(900, 'x')), /a GGUF file/],
  ['PNG', Buffer.from('\x89PNG\r\n\x1a\n'.padEnd(900, 'x'), 'latin1'), /a picture/],
  ['JPEG', Buffer.from('\xff\xd8\xff\xe0'.padEnd(900, 'x'), 'latin1'), /a picture/],
  ['zeros', Buffer.alloc(900), /unfinished download.*again/],
] as const)('%s under the name of weights is called that', (_, bytes, words) => {
  const file = put('dog.safetensors', bytes);
  for (const read of [openModel, readLora, readEmbedding]) expect(said(() => read(file))).toMatch(words);
});

it('weights of other programs are named by their ending', () => {
  expect(said(() => openModel(put('model.onnx', '\b\x07\x12\x07pytorch')))).toMatch(/is an ONNX graph/);
  expect(said(() => readLora(put('model.msgpack', 'abc')))).toMatch(/weights of Flax/);
});

it('a folder above, below or of several is told which one to give', () => {
  const model = path.join(fixtures, 'models/tiny-sd1');
  expect(said(() => openModel(path.join(model, 'unet')))).toMatch(/only a part \(unet\).*give .*tiny-sd1\.$/);

  const above = path.join(scratch, 'sd15');
  cpSync(model, path.join(above, 'sd15'), { recursive: true });
  expect(said(() => openModel(above))).toMatch(/folder above the model; give .*sd15.sd15\.$/);

  const several = path.join(scratch, 'Lora');
  mkdirSync(several);
  for (const name of ['a.safetensors', 'b.safetensors', 'a.preview.png', 'a.civitai.info'])
    copyFileSync(path.join(fixtures, 'checkpoints/lora-diffusers.safetensors'), path.join(several, name));
  expect(said(() => readLora(several))).toMatch(/several LoRAs; give one of them, such as .*b\.safetensors/);

  const trained = path.join(scratch, 'out');
  for (const step of ['checkpoint-500', 'checkpoint-1000']) {
    mkdirSync(path.join(trained, step), { recursive: true });
    const file = path.join(trained, step, 'pytorch_lora_weights.safetensors');
    copyFileSync(path.join(fixtures, 'checkpoints/lora-diffusers.safetensors'), file);
  }
  expect(said(() => readLora(trained))).toMatch(/such as .*checkpoint-1000/);
  expect(said(() => readLora(path.join(trained, 'checkpoint-500')))).toBe('read');
});
