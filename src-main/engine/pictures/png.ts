import { open, readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { sharp } from '../../sharp.ts';
import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import { recipeSchema, type Recipe } from '../../../src-shared/domain/recipe.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { errorCode, isFile, withFile } from '../checkpoints/files.ts';
import type { Picture } from './pixels.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const ihdrEnd = signature.length + 25;
/** What all the compressed text of a picture may unpack to; recipes take a few kilobytes. */
const maxTextBytes = 4 << 20;
const maxBytes = 500e6;

/**
 * A PNG with its recipe in two text chunks: `likeness`, the JSON that `readRecipe` reads, and `parameters`, the lines
 * that AUTOMATIC1111's web UI began and most tools read.
 */
export async function encodePng({ width, height, data }: Picture, recipe?: Recipe): Promise<Buffer> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  if (!recipe) return png;
  const text = [
    textChunk('parameters', parameters(recipe)),
    internationalText('likeness', JSON.stringify(recipe)),
  ];
  return Buffer.concat([png.subarray(0, ihdrEnd), ...text, png.subarray(ihdrEnd)]);
}

const software = 'Software';

/** A PNG that says that it was made here, for those without a recipe (the keyword is one of the specification's). */
export function marked(png: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, ihdrEnd), textChunk(software, 'Likeness'), png.subarray(ihdrEnd)]);
}

export function isMarked(png: Buffer): boolean {
  return readTexts(png).get(software) === 'Likeness';
}

/** The chunk that every PNG ends with, its length and check sum with it. */
const lastChunk = Buffer.from('0000000049454e44ae426082', 'hex');

/** Whether a PNG that was written here is there from end to end: a disk or a sync program can leave half of it, or zeros. */
export function isWholePng(file: string): boolean {
  if (!isFile(file)) return false;
  return withFile(file, (open) => {
    if (open.size < ihdrEnd + lastChunk.length) return false;
    const end = open.bytes(open.size - lastChunk.length, lastChunk.length);
    return signature.equals(open.bytes(0, signature.length)) && lastChunk.equals(end);
  });
}

/** Who else writes a picture's settings into its texts, by the keyword. */
const otherPrograms: readonly (readonly [keyword: string, program: string])[] = [
  ['workflow', 'ComfyUI'],
  ['prompt', 'ComfyUI'],
  ['invokeai_metadata', 'InvokeAI'],
  ['sd-metadata', 'InvokeAI'],
  ['parameters', "AUTOMATIC1111's web UI or a program like it"],
];

/** The recipe in a PNG that `encodePng` made. Errors: `picture.notPng`, `picture.noRecipe`, `picture.badRecipe`. */
export async function readRecipe(file: string): Promise<Recipe> {
  let bytes: Buffer;
  try {
    // A pipe could block for ever, and no real picture is larger.
    const stats = await stat(file);
    if (!stats.isFile() || stats.size > maxBytes) throw new Error('no regular file of a sensible size');
    bytes = await readFile(file);
  } catch (cause) {
    throw problem('picture.notPng', { file }, cause);
  }
  if (!bytes.subarray(0, signature.length).equals(signature)) throw problem('picture.notPng', { file });
  const texts = readTexts(bytes);
  const text = texts.get('likeness');
  if (text === undefined) {
    const by = otherPrograms.find(([keyword]) => texts.has(keyword))?.[1];
    throw problem('picture.noRecipe', { file, by });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw problem('picture.badRecipe', { file, why: 'it is not JSON' }, cause);
  }
  const recipe = recipeSchema.safeParse(json);
  if (recipe.success) return recipe.data;
  throw problem('picture.badRecipe', {
    file,
    why: `"${recipe.error.issues[0]?.path.join('.')}" is invalid`,
  });
}

/**
 * Keyword → text of every tEXt, zTXt and iTXt chunk (PNG specification 11.3.3); damaged ones are passed over, and those after
 * `maxTextBytes` of text.
 */
export function readTexts(png: Buffer): Map<string, string> {
  const texts = new Map<string, string>();
  let room = maxTextBytes;
  for (let at = signature.length; at + 12 <= png.length && room > 0;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (body.length < length) break;
    const keyword = body.toString('latin1', 0, Math.max(0, body.indexOf(0)));
    const text = unpackText(type, body, room);
    if (text) room -= text.length;
    if (keyword && text) texts.set(keyword, text.toString(type === 'iTXt' ? 'utf8' : 'latin1'));
    at += 12 + length;
  }
  return texts;
}

/**
 * Whether the compressed texts of a PNG unpack to no more than `maxTextBytes`: libpng unpacks each of them, up to 8 MB and a thousand
 * of them, when a picture is opened.
 */
export async function expandsWithin(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    let room = maxTextBytes;
    const head = Buffer.alloc(8);
    for (let at = signature.length; (await handle.read(head, 0, 8, at)).bytesRead === 8;) {
      const length = head.readUInt32BE(0);
      const type = head.toString('latin1', 4, 8);
      if (type === 'zTXt' || type === 'iTXt') {
        if (length > maxTextBytes) return false;
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at + 8);
        room -= (unpackText(type, buffer.subarray(0, bytesRead), room) ?? []).length;
        if (room <= 0) return false;
      }
      at += 12 + length;
    }
    return true;
  } finally {
    await handle.close();
  }
}

/** The same of a PNG in memory. */
export function unpacksWithin(png: Buffer): boolean {
  let room = maxTextBytes;
  for (let at = signature.length; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'zTXt' || type === 'iTXt')
      room -= (unpackText(type, png.subarray(at + 8, at + 8 + length), room) ?? []).length;
    if (room <= 0) return false;
    at += 12 + length;
  }
  return true;
}

/** The bytes of a chunk's text, at most `room` where it is compressed; undefined for other chunks and damaged ones. */
function unpackText(type: string, chunk: Buffer, room: number): Buffer | undefined {
  const body = chunk.subarray(chunk.indexOf(0) + 1);
  if (type === 'tEXt') return body.subarray(0, room);
  if (type === 'zTXt') return inflateAtMost(body.subarray(1), room);
  if (type !== 'iTXt') return undefined;
  const language = body.indexOf(0, 2);
  const translated = body.indexOf(0, language + 1);
  if (language < 0 || translated < 0) return undefined;
  const text = body.subarray(translated + 1);
  return body[0] ? inflateAtMost(text, room) : text.subarray(0, room);
}

/** Text that would exceed `room` counts as `room` bytes and is not read. */
function inflateAtMost(packed: Buffer, room: number): Buffer | undefined {
  try {
    return inflateSync(packed, { maxOutputLength: room });
  } catch (error) {
    return errorCode(error) === 'ERR_BUFFER_TOO_LARGE' ? Buffer.alloc(room) : undefined;
  }
}

/** The PNG with a colour profile (11.3.2.3). */
export function withProfile(png: Buffer, profile: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from('ICC\0\0', 'latin1'), deflateSync(profile)]);
  return Buffer.concat([png.subarray(0, ihdrEnd), chunk('iCCP', body), png.subarray(ihdrEnd)]);
}

function chunk(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

/** tEXt holds only Latin-1; anything else goes into iTXt, as Pillow writes it. */
function textChunk(keyword: string, text: string): Buffer {
  return /^[\n\x20-\x7e\xa0-\xff]*$/.test(text)
    ? chunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1'))
    : internationalText(keyword, text);
}

function internationalText(keyword: string, text: string): Buffer {
  return chunk('iTXt', Buffer.from(`${keyword}\0\0\0\0\0${text}`, 'utf8'));
}

/** The web UI's names of the samplers. */
const webNames: Record<string, string> = {
  pndm: 'PLMS',
  ddim: 'DDIM',
  ddpm: 'DDPM',
  'dpm++2m': 'DPM++ 2M',
  euler: 'Euler',
  'euler-a': 'Euler a',
  lms: 'LMS',
  heun: 'Heun',
  'dpm++2m-sde': 'DPM++ 2M SDE',
  deis: 'DEIS',
  unipc: 'UniPC',
  lcm: 'LCM',
};

function parameters(recipe: Recipe): string {
  const loras = recipe.loras.map(({ path, weight }) => ` <lora:${basename(path, extname(path))}:${weight}>`);
  const { guidance, baseGuidance, guidanceStop } = guidanceOf(recipe);
  const strength = recipe.upscale?.strength ?? recipe.strength;
  const facts = [
    `Steps: ${recipe.steps}`,
    `Sampler: ${webNames[recipe.scheduler] ?? recipe.scheduler}`,
    `CFG scale: ${guidance}`,
    `Seed: ${recipe.seed}`,
    `Size: ${recipe.width}x${recipe.height}`,
    `Model hash: ${recipe.model.hash.slice(0, 10)}`,
    `Model: ${recipe.model.name}`,
    ...(strength === undefined ? [] : [`Denoising strength: ${strength}`]),
    ...(recipe.upscale
      ? [`Hires upscale: ${recipe.upscale.factor}`, `Hires upscaler: ${recipe.upscale.network.name}`]
      : []),
    `Version: Likeness ${recipe.version}`,
    // No other tool has these: there, such a picture does not come out the same.
    ...(baseGuidance > 0 ? [`Base guidance: ${baseGuidance}`] : []),
    ...(guidanceStop < 1 ? [`Guidance stop: ${guidanceStop}`] : []),
  ];
  // Those tools read brackets as weights.
  const asRead = (prompt: string): string =>
    recipe.promptRules === 'a1111' ? prompt : prompt.replace(/[\\()[\]]/g, '\\$&');
  const negative = recipe.negative ? [`Negative prompt: ${asRead(recipe.negative)}`] : [];
  return [asRead(recipe.prompt) + loras.join(''), ...negative, facts.join(', ')].join('\n');
}
