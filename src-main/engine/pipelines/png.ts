import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { crc32, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { guidanceOf } from '../../../src-shared/domain/guidance.ts';
import { recipeSchema, type Recipe } from '../../../src-shared/domain/recipe.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { Picture } from './pixels.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const ihdrEnd = signature.length + 25;
const maxTextBytes = 1 << 20;
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

/** The recipe in a PNG that `encodePng` made. Errors: `picture.notPng`, `picture.noRecipe`, `picture.badRecipe`. */
export async function readRecipe(file: string): Promise<Recipe> {
  let bytes: Buffer;
  try {
    // Anything else, a pipe, could block for ever; nobody's picture is larger.
    const stats = await stat(file);
    if (!stats.isFile() || stats.size > maxBytes) throw new Error('no regular file of a sensible size');
    bytes = await readFile(file);
  } catch (cause) {
    throw problem('picture.notPng', { file }, cause);
  }
  if (!bytes.subarray(0, signature.length).equals(signature)) throw problem('picture.notPng', { file });
  const text = readTexts(bytes).get('likeness');
  if (text === undefined) throw problem('picture.noRecipe', { file });
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
    why: `"${recipe.error.issues[0]?.path.join('.')}" is not what it should be`,
  });
}

/** Keyword → text of every tEXt, zTXt and iTXt chunk (PNG specification 11.3.3); damaged ones are passed over. */
export function readTexts(png: Buffer): Map<string, string> {
  const texts = new Map<string, string>();
  for (let at = signature.length; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (body.length < length) break;
    const keyword = body.toString('latin1', 0, Math.max(0, body.indexOf(0)));
    const text = readText(type, body.subarray(keyword.length + 1));
    if (keyword && text !== undefined) texts.set(keyword, text);
    at += 12 + length;
  }
  return texts;
}

/** The text after a chunk's keyword, or undefined for other chunks. */
function readText(type: string, body: Buffer): string | undefined {
  try {
    if (type === 'tEXt') return body.toString('latin1');
    if (type === 'zTXt')
      return inflateSync(body.subarray(1), { maxOutputLength: maxTextBytes }).toString('latin1');
    if (type !== 'iTXt') return undefined;
    const language = body.indexOf(0, 2);
    const translated = body.indexOf(0, language + 1);
    if (language < 0 || translated < 0) return undefined;
    const text = body.subarray(translated + 1);
    return (body[0] ? inflateSync(text, { maxOutputLength: maxTextBytes }) : text).toString('utf8');
  } catch {
    return undefined;
  }
}

function chunk(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

/** tEXt holds Latin-1 alone; anything else goes into iTXt, as Pillow writes it. */
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
};

function parameters(recipe: Recipe): string {
  const loras = recipe.loras.map(({ path, weight }) => ` <lora:${basename(path, extname(path))}:${weight}>`);
  const { guidance, baseGuidance, guidanceStop } = guidanceOf(recipe);
  const facts = [
    `Steps: ${recipe.steps}`,
    `Sampler: ${webNames[recipe.scheduler] ?? recipe.scheduler}`,
    `CFG scale: ${guidance}`,
    `Seed: ${recipe.seed}`,
    `Size: ${recipe.width}x${recipe.height}`,
    `Model hash: ${recipe.model.hash.slice(0, 10)}`,
    `Model: ${recipe.model.name}`,
    `Version: Likeness ${recipe.version}`,
    // No other tool has these: a picture that was made with them does not come out the same there.
    ...(baseGuidance > 0 ? [`Base guidance: ${baseGuidance}`] : []),
    ...(guidanceStop < 1 ? [`Guidance stop: ${guidanceStop}`] : []),
  ];
  const negative = recipe.negative ? [`Negative prompt: ${recipe.negative}`] : [];
  return [recipe.prompt + loras.join(''), ...negative, facts.join(', ')].join('\n');
}
