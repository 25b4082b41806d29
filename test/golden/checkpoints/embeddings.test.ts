import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEmbedding } from '../../../src-main/engine/checkpoints/embedding.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { f32, type FileTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';
import { requestFromRecipe } from '../../../src-main/features/generation/fromRecipe.ts';
import { openForGeneration } from '../../../src-main/features/generation/openForGeneration.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const folder = join(fixtures, 'checkpoints/embeddings');
const model = join(fixtures, 'models/tiny-sd1');
const prompts = JSON.parse(readFileSync(join(folder, 'prompts.json'), 'utf8')) as Record<
  'skip' | 'words',
  string[]
>;
const expected = readSafetensors(join(folder, 'contexts.safetensors')).tensors;
const files = ['web-ui.pt', 'learned_embeds.safetensors', 'night-sky.safetensors'].map((name) =>
  join(folder, name),
);
const quiet = { report: () => undefined, signal: new AbortController().signal };

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-embeddings-'));
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Largest difference between what the text encoder makes of a prompt here and in diffusers. */
async function error(prompt: string, golden: string, asked: Partial<GenerateRequest>): Promise<number> {
  const request = { model, loras: [], provider: 'cpu', ...asked } as const;
  const { textToImage } = await openForGeneration(request, quiet.report);
  try {
    const { context } = await textToImage.encodePrompt(prompt);
    const wanted = readF32(expected.get(golden) as FileTensor).data;
    expect(context.data).toHaveLength(wanted.length);
    return Math.max(...wanted.map((value, i) => Math.abs(value - (context.data[i] as number))));
  } finally {
    await textToImage.dispose();
  }
}

describe('clip skip', () => {
  it.each([0, 1, 2])('%i reads the layer that diffusers reads', async (clipSkip) => {
    for (const [i, prompt] of prompts.skip.entries())
      expect(await error(prompt, `skip.${clipSkip}.${i}`, { clipSkip })).toBeLessThan(2e-5);
  });

  it('says how many layers there are', async () => {
    await expect(error('a', 'skip.0.0', { clipSkip: 9 })).rejects.toMatchObject({ code: 'clipSkip.tooMany' });
  });
});

describe('textual inversions', () => {
  it('stand for words in prompts as in diffusers, of several vectors too', async () => {
    const embeddings = files.map((path) => ({ path }));
    for (const [i, prompt] of prompts.words.entries())
      expect(await error(prompt, `words.${i}`, { embeddings })).toBeLessThan(2e-5);
  });

  it('come with a LoRA too', async () => {
    const lora = join(fixtures, 'checkpoints/lora-kinds/rslora/adapter_model.safetensors');
    const { vectors } = readEmbedding(files[0] as string);
    const path = join(scratch, 'bundled.safetensors');
    writeSafetensors(path, [
      ...[...readSafetensors(lora).tensors].map(([name, tensor]) => ({ name, tensor })),
      { name: 'bundle_emb.fluffy-cat.string_to_param.*', tensor: vectors },
    ]);
    expect(await error(prompts.words[0] as string, 'words.0', { loras: [{ path, weight: 1 }] })).toBeLessThan(
      2e-5,
    );
  });

  it('have the word of the file, else its name, else what they are called', () => {
    expect(files.map((file) => readEmbedding(file).word)).toEqual(['fluffy-cat', '<blue-cup>', 'night-sky']);
    expect(readEmbedding(files[0] as string, 'moggy').word).toBe('moggy');
  });

  it('are refused by name where they can not be used', async () => {
    const use = (path: string, word?: string) =>
      error('a', 'words.0', { embeddings: [{ path, ...(word && { word }) }] });
    const wide = join(scratch, 'wide.safetensors');
    writeSafetensors(wide, [{ name: 'emb_params', tensor: f32([2, 1024]) }]);
    await expect(use(wide)).rejects.toThrow(/wide\.safetensors was not made for .*1024 wide/);
    const xl = join(scratch, 'xl.safetensors');
    writeSafetensors(xl, [
      { name: 'clip_l', tensor: f32([1, 8]) },
      { name: 'clip_g', tensor: f32([1, 8]) },
    ]);
    await expect(use(xl)).rejects.toThrow(/SDXL/);
    const two = join(scratch, 'two.safetensors');
    writeSafetensors(two, [
      { name: '<a>', tensor: f32([8]) },
      { name: '<b>', tensor: f32([8]) },
    ]);
    await expect(use(two)).rejects.toThrow(/it holds several embeddings \(<a>, <b> …\)/);
    await expect(use(join(model, 'unet/diffusion_pytorch_model.safetensors'))).rejects.toMatchObject({
      code: 'embedding.notOne',
    });
    const layer = join(scratch, 'layer.safetensors');
    writeSafetensors(layer, [{ name: 'classifier.weight', tensor: f32([2, 8]) }]);
    await expect(use(layer)).rejects.toThrow(/not an embedding but a single tensor of a network/);
    await expect(inspect(layer)).rejects.not.toMatchObject({ code: 'embedding.notOne' });
    const table = join(scratch, 'table.safetensors');
    writeSafetensors(table, [{ name: 'features', tensor: f32([1200, 8]) }]);
    await expect(use(table)).rejects.toThrow(/not an embedding but a table of 1,200 rows/);
    const text = join(scratch, 'notes.txt');
    writeFileSync(text, 'no weights');
    await expect(use(text)).rejects.toMatchObject({ code: 'embedding.notOne' });
    await expect(use(files[0] as string, 'a</w>')).rejects.toMatchObject({ code: 'embedding.taken' });
    const other = { path: files[1] as string, word: 'fluffy-cat' };
    await expect(
      error('a', 'words.0', { embeddings: [{ path: files[0] as string }, other] }),
    ).rejects.toMatchObject({ code: 'embedding.twice' });
  });

  it('are in the recipe, and make the picture again', async () => {
    const path = join(scratch, 'cat.pt');
    copyFileSync(files[0] as string, path);
    const draw = (out: string, more: object) =>
      generate(
        {
          ...generateDefaults,
          ...{
            prompts: ['a fluffy-cat'],
            model,
            steps: 2,
            seed: 1,
            provider: 'cpu',
            out: join(scratch, out),
          },
          ...more,
        },
        quiet,
        '1',
      );
    const { images } = await draw('once', { embeddings: [{ path }], clipSkip: 1 });
    const file = images[0]?.path as string;
    expect(await readRecipe(file)).toMatchObject({
      clipSkip: 1,
      embeddings: [{ name: 'cat.pt', word: 'fluffy-cat' }],
    });
    const request = await requestFromRecipe(file, { out: join(scratch, 'again'), provider: 'cpu' });
    const again = await generate(request, quiet, '1');
    expect(readFileSync(again.images[0]?.path as string).equals(readFileSync(file))).toBe(true);
    const without = await draw('without', { clipSkip: 1 });
    expect(readFileSync(without.images[0]?.path as string).equals(readFileSync(file))).toBe(false);
    rmSync(path);
    await expect(requestFromRecipe(file, { out: scratch, provider: 'cpu' })).rejects.toThrow(
      /cat\.pt.*--embedding/,
    );
  });
});
