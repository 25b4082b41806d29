import { existsSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { makeFolder, makeRoom } from '../../checkpoints/files.ts';
import type { Model, ModelPart } from '../../checkpoints/model.ts';
import { safetensorsNames } from '../../checkpoints/safetensors.ts';
import { chunksOf } from '../../checkpoints/weights.ts';
import { publishedTokenizer } from '../../models/publishedTokenizer.ts';
import { bytesPerElement, elementCount } from '../../tensor/tensor.ts';
import type { Connection } from './connection.ts';
import { entryOf } from '../../../../src-shared/entryOf.ts';

/** Files that a model may have. Both ends know these names: nothing that is received decides where a file is written. */
const textFiles = [
  ...['unet/config.json', 'vae/config.json', 'text_encoder/config.json'],
  ...['scheduler/scheduler_config.json', 'likeness.json'],
  ...['tokenizer/vocab.json', 'tokenizer/merges.txt', 'tokenizer/tokenizer.json'],
  ...['tokenizer/tokenizer_config.json', 'tokenizer/special_tokens_map.json'],
  ...['text_encoder_2/config.json', 'tokenizer_2/vocab.json', 'tokenizer_2/merges.txt'],
  ...['tokenizer_2/tokenizer.json', 'tokenizer_2/tokenizer_config.json'],
  ...['tokenizer_2/special_tokens_map.json'],
] as const;
const weightFiles = [
  'unet/diffusion_pytorch_model.safetensors',
  'vae/diffusion_pytorch_model.safetensors',
  'text_encoder/model.safetensors',
  'text_encoder_2/model.safetensors',
] as const;

const tensorType = z.object({
  name: z.string().min(1).max(300),
  dtype: z.enum(['f32', 'f16', 'bf16', 'i64', 'i32', 'u8', 'bool']),
  shape: z
    .array(
      z
        .int()
        .min(0)
        .max(1 << 30),
    )
    .max(8),
});

/** What a model's files are. Their bytes follow: of the texts in this order, then of the tensors. */
export const modelContents = z.object({
  texts: z
    .array(z.object({ file: z.enum(textFiles), bytes: z.int().min(0).max(16e6) }))
    .max(textFiles.length),
  weights: z
    .array(z.object({ file: z.enum(weightFiles), tensors: z.array(tensorType).max(10_000) }))
    .max(weightFiles.length),
});
type ModelContents = z.output<typeof modelContents>;

const sizeOf = ({ dtype, shape }: z.output<typeof tensorType>): number =>
  elementCount(shape) * bytesPerElement[dtype];

/** Bytes that follow. */
function sizeOfAll({ texts, weights }: ModelContents): number {
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  return sum(texts.map(({ bytes }) => bytes)) + sum(weights.flatMap(({ tensors }) => tensors).map(sizeOf));
}

/** Sends `model` as `announce` begins it: what its files are, then their bytes. */
export async function sendModel(
  model: Model,
  connection: Connection,
  announce: (contents: ModelContents) => Promise<void>,
): Promise<void> {
  const texts = textsOf(model);
  const { unet, vae, textEncoder, textEncoder2 } = model;
  const second = textEncoder2 ? [textEncoder2] : [];
  const parts: readonly ModelPart<unknown>[] = [unet, vae, textEncoder, ...second];
  // Wide types first, as in the reference implementation: every tensor lies at a multiple of its element's size.
  const entries = parts.map(({ weights }) =>
    weights
      .names()
      .map((name) => ({ name, entry: entryOf(weights, name) }))
      .sort((a, b) => bytesPerElement[b.entry.dtype] - bytesPerElement[a.entry.dtype]),
  );
  await announce({
    texts: texts.map(({ file, bytes }) => ({ file, bytes: bytes.length })),
    weights: weightFiles.slice(0, parts.length).map((file, i) => ({
      file,
      tensors: (entries[i] ?? []).map(({ name, entry: { dtype, shape } }) => ({
        name,
        dtype,
        shape: [...shape],
      })),
    })),
  });
  for (const { bytes } of texts) await connection.give(bytes);
  for (const { entry } of entries.flat())
    // A copy: the socket may keep what it was given, and the next piece comes into the same memory.
    for (const piece of chunksOf(entry)) await connection.give(Uint8Array.from(piece));
}

function textsOf({ path, unet, vae, textEncoder, scheduler, tokenizer }: Model) {
  const found: Partial<Record<(typeof textFiles)[number], Buffer>> = {
    'unet/config.json': Buffer.from(unet.configText),
    'vae/config.json': Buffer.from(vae.configText),
    'text_encoder/config.json': Buffer.from(textEncoder.configText),
    'scheduler/scheduler_config.json': Buffer.from(JSON.stringify(scheduler)),
  };
  const published = tokenizer ? {} : (publishedTokenizer(textEncoder.config) ?? {});
  for (const file of textFiles) {
    if (file in found) continue;
    const [folder = '', name = ''] = file.split('/');
    const own = folder === 'tokenizer' ? join(tokenizer?.folder ?? path, name) : join(path, file);
    const text = published[name];
    if (text !== undefined) found[file] = Buffer.from(text);
    else if (existsSync(own)) found[file] = readFileSync(own);
  }
  return textFiles.flatMap((file) => (found[file] ? { file, bytes: found[file] } : []));
}

/**
 * Writes what `connection` sends of a model as a diffusers folder, piece by piece; `onBytes` gets how many of all are there. Errors:
 * `download.noRoom`, `file.unwritable`, `ConnectionLost`.
 */
export async function receiveModel(
  contents: ModelContents,
  connection: Connection,
  folder: string,
  onBytes: (done: number, total: number) => void,
): Promise<void> {
  const total = sizeOfAll(contents);
  await makeRoom(folder, total);
  let done = 0;
  const into = async (name: string, head: Uint8Array, bytes: number): Promise<void> => {
    const file = join(folder, name);
    makeFolder(dirname(file));
    const handle = await open(file, 'w');
    try {
      await handle.writeFile(head);
      for (const end = done + bytes; done < end;) {
        done += await onePiece(connection, handle, Math.min(end - done, 4 << 20));
        onBytes(done, total);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  for (const { file, bytes } of contents.texts) await into(file, new Uint8Array(), bytes);
  for (const { file, tensors } of contents.weights) {
    const bytes = tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0);
    await into(file, safetensorsHead(tensors), bytes);
  }
}

async function onePiece(connection: Connection, to: FileHandle, size: number): Promise<number> {
  const piece = new Uint8Array(size);
  await connection.receive(piece);
  await to.writeFile(piece);
  return size;
}

/** What a `.safetensors` file begins with, whose tensors lie in this order. */
function safetensorsHead(tensors: ModelContents['weights'][number]['tensors']): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map((tensor) => {
      const start = end;
      end += sizeOf(tensor);
      const { name, dtype, shape } = tensor;
      return [name, { dtype: safetensorsNames[dtype], shape, data_offsets: [start, end] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const padding = (8 - (json.length % 8)) % 8;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  return Buffer.concat([length, json, Buffer.alloc(padding, ' ')]);
}
