import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { readPromptTable } from '../../../src-main/engine/training/data/promptFiles.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { ownGuidance } from '../../../src-main/engine/checkpoints/ownGuidance.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeDiffusers } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { encodePng, readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { requestFromRecipe } from '../../../src-main/features/generation/fromRecipe.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';
import { TorchGenerator } from '../../../src-main/engine/tensor/random.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';

const work = mkdtempSync(path.join(tmpdir(), 'likeness generate '));
process.env['LIKENESS_CACHE'] = path.join(work, 'cache');
afterAll(() => rmSync(work, { recursive: true }));
const model = path.resolve(import.meta.dirname, '../../golden/fixtures/models/tiny-bk');
const events: JobEvent[] = [];
const context = {
  report: (event: JobEvent) => void events.push(event),
  signal: new AbortController().signal,
};
const make = (out: string, request: Partial<GenerateRequest>) =>
  generate(
    {
      ...generateDefaults,
      prompts: ['a dog'],
      model,
      steps: 2,
      provider: 'cpu',
      out: path.join(work, out),
      ...request,
    },
    context,
    '1.2.3',
  );

describe('a U-Net from elsewhere', () => {
  const other = path.resolve(model, '../tiny-sd1');
  it('draws as a folder put together of both does, and again from the recipe', async () => {
    const whole = path.join(work, 'put together');
    cpSync(model, whole, { recursive: true });
    rmSync(path.join(whole, 'unet'), { recursive: true });
    cpSync(path.join(other, 'unet'), path.join(whole, 'unet'), { recursive: true });
    const bytes = async (out: string, request: Partial<GenerateRequest>) => {
      const { images } = await make(out, { seed: 5, ...request });
      return sharp(images[0]?.path).raw().toBuffer();
    };
    const wanted = await bytes('whole', { model: whole });
    expect(wanted.equals(await bytes('own', {}))).toBe(false);
    expect(wanted.equals(await bytes('model', { unet: other }))).toBe(true);
    expect(wanted.equals(await bytes('folder', { unet: path.join(other, 'unet') }))).toBe(true);

    const [file = ''] = readdirSync(path.join(work, 'model'));
    const again = await requestFromRecipe(path.join(work, 'model', file), {
      ...{ out: path.join(work, 'again'), provider: 'cpu' },
    });
    expect(again).toMatchObject({ model, unet: path.join(other, 'unet') });
    expect(wanted.equals(await bytes('from recipe', again))).toBe(true);
  });

  it('is refused where it does not fit, or is not there', async () => {
    await expect(make('none', { unet: path.join(work, 'nothing') })).rejects.toMatchObject({
      code: 'file.missing',
    });
  });
});

describe('a set of pictures', () => {
  const set = {
    ...{ prompts: ['a dog', 'a cat', 'a cup'], names: ['1.jpg', 'b c.png', '3.jpg'], seed: 7 },
    resize: { width: 8, height: 8 },
  };
  const files = ['1.png', '3.png', 'b c.png'];
  const bytes = (folder: string) => files.map((file) => readFileSync(path.join(work, folder, file)));

  it('goes on where it was killed, to the same bits, and makes no picture twice', async () => {
    const { images } = await make('set', set);
    expect(images.map(({ seed }) => seed)).toEqual([7, 8, 9]);
    expect(readdirSync(path.join(work, 'set')).sort()).toEqual(files);
    expect((await sharp(bytes('set')[0]).metadata()).width).toBe(8);

    const controller = new AbortController();
    const stopped = { ...generateDefaults, ...set, model, steps: 2, batch: 1, provider: 'cpu' as const };
    const out = path.join(work, 'stopped set');
    const onMade = (): void => controller.abort(new Error('killed'));
    const until = { ...context, signal: controller.signal };
    const attempt = generate({ ...stopped, out }, until, '1.2.3', { onMade });
    await expect(attempt).rejects.toThrow('killed');
    expect(readdirSync(out)).toEqual(['1.png']);

    await expect(make('stopped set', set)).rejects.toMatchObject({ code: 'set.exists' });
    const other = make('stopped set', { ...set, resume: true, steps: 3 });
    await expect(other).rejects.toMatchObject({ code: 'set.otherSettings' });
    const rest = await make('stopped set', { ...set, resume: true });
    expect(rest.images.map(({ path: file }) => path.basename(file))).toEqual(['b c.png', '3.png']);
    bytes('stopped set').forEach((data, i) => expect(data.equals(bytes('set')[i] as Buffer)).toBe(true));
    expect((await make('stopped set', { ...set, resume: true })).images).toEqual([]);
  });

  it('is read from a table', () => {
    const file = path.join(work, 'metadata.csv');
    writeFileSync(file, 'file_name,text\n1.jpg,"a dog, running"\n');
    expect(readPromptTable(file)).toEqual({ prompts: ['a dog, running'], names: ['1.jpg'] });
    for (const bad of [
      'file_name,caption\n1.jpg,x\n',
      'file_name,text\n../1.jpg,x\n',
      'file_name,text\n1.jpg,x\n1.png,y\n',
    ]) {
      writeFileSync(file, bad);
      expect(() => readPromptTable(file)).toThrow(
        expect.objectContaining({ code: 'prompts.table' }) as Error,
      );
    }
  });
});

describe('generate', () => {
  it('names pictures in order after those that are there, and reports seeds and progress', async () => {
    const first = await make('named', { prompts: ['A red ball!', 'ein Häuschen'], count: 2, seed: 5 });
    const second = await make('named', {});
    const seed = second.images[0]?.seed;
    expect(readdirSync(path.join(work, 'named'))).toEqual([
      '0001-a-red-ball-5.png',
      '0002-a-red-ball-6.png',
      '0003-ein-häuschen-5.png',
      '0004-ein-häuschen-6.png',
      `0005-a-dog-${seed}.png`,
    ]);
    expect(first.images.map(({ seed, prompt }) => [seed, prompt])).toEqual([
      [5, 'A red ball!'],
      [6, 'A red ball!'],
      [5, 'ein Häuschen'],
      [6, 'ein Häuschen'],
    ]);
    expect(events).toContainEqual({ type: 'progress', done: 4, total: 4, label: 'pictures' });
  });

  it("guides as the model's likeness.json says, unless told otherwise", async () => {
    const own = path.join(work, 'own');
    cpSync(model, own, { recursive: true });
    writeFileSync(path.join(own, 'likeness.json'), '{"generate": {"guidance": 2, "guidanceStop": 0.5}}');
    const guidanceOf = async (out: string, request: Partial<GenerateRequest>): Promise<unknown> => {
      const { images } = await make(out, { seed: 1, ...request });
      const { guidance, guidanceStop = 1 } = await readRecipe(images[0]?.path as string);
      return [guidance, guidanceStop];
    };
    expect(await guidanceOf('usual', {})).toEqual([7.5, 1]);
    expect(await guidanceOf('its own', { model: own })).toEqual([2, 0.5]);
    expect(await guidanceOf('said', { model: own, guidance: 5 })).toEqual([5, 1]);
    writeDiffusers(path.join(work, 'exported'), openModel(own));
    expect(ownGuidance(path.join(work, 'exported'))).toMatchObject({ guidance: 2, baseGuidance: 0 });
    writeFileSync(path.join(own, 'likeness.json'), '{"generate": {"guidance": "much"}}');
    expect(() => ownGuidance(own)).toThrow(/likeness\.json/);
  });

  it('guides a subject by the base model too where likeness.json says so, and again from the recipe', async () => {
    const own = path.join(work, 'own subject');
    cpSync(model, own, { recursive: true });
    const subject = { guidance: 3, baseGuidance: 2, guidanceStop: 0.5 };
    writeFileSync(path.join(own, 'likeness.json'), JSON.stringify({ generate: { guidance: 2, subject } }));
    const lora = path.join(work, 'subject.safetensors');
    const module = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q';
    const [outputs = 0, inputs = 0] = openModel(model).unet.weights.get(`${module}.weight`)?.shape ?? [];
    const randn = (shape: number[]) => ({
      ...{ dtype: 'f32' as const, shape },
      data: new TorchGenerator(1).randn(shape),
    });
    writeSafetensors(lora, [
      { name: `unet.${module}.lora_A.weight`, tensor: randn([2, inputs]) },
      { name: `unet.${module}.lora_B.weight`, tensor: randn([outputs, 2]) },
    ]);
    const request = { model: own, loras: [{ path: lora, weight: 1 }], seed: 1, steps: 4 };
    const drawn = async (out: string, asked: Partial<GenerateRequest> = {}): Promise<string> =>
      (await make(out, { ...request, ...asked })).images[0]?.path as string;

    const file = await drawn('subject');
    expect(await readRecipe(file)).toMatchObject(subject);
    // Names and hashes: a shared picture says nothing of its maker's folders.
    expect(JSON.stringify(await readRecipe(file))).not.toMatch(/\.\.|[\\/]/);
    expect(await readRecipe(await drawn('bare', { loras: [] }))).toMatchObject({
      guidance: 2,
      baseGuidance: 0,
    });
    // A guidance alone is the plain one.
    expect(await readRecipe(await drawn('plain', { guidance: 3 }))).toMatchObject({
      ...{ guidance: 3, baseGuidance: 0, guidanceStop: 1 },
    });
    const again = await requestFromRecipe(file, { out: path.join(work, 'again'), provider: 'cpu' });
    const { images } = await generate(again, context, '1.2.3');
    expect(readFileSync(images[0]?.path as string).equals(readFileSync(file))).toBe(true);
    const pixels = (of: string): Promise<Buffer> => sharp(of).raw().toBuffer();
    const plain = path.join(work, 'plain', path.basename(file));
    expect((await pixels(plain)).equals(await pixels(file))).toBe(false);
  });

  it('makes a picture again from its recipe', async () => {
    const { images } = await make('once', {
      negative: 'blurry',
      scheduler: 'euler-a',
      size: { width: 96, height: 64 },
      seed: 3,
      count: 2,
    });
    const file = images[1]?.path as string;
    expect(await readRecipe(file)).toMatchObject({
      version: '1.2.3',
      seed: 4,
      scheduler: 'euler-a',
      width: 96,
      negative: 'blurry',
    });
    const request = await requestFromRecipe(file, { out: path.join(work, 'again'), provider: 'cpu' });
    const again = await generate(request, context, '1.2.3');
    expect(readFileSync(again.images[0]?.path as string).equals(readFileSync(file))).toBe(true);
    // Elsewhere the recipe's hash is known nowhere: the name and the option are said.
    process.env['LIKENESS_CACHE'] = path.join(work, 'other machine');
    await expect(requestFromRecipe(file, { out: work, provider: 'cpu' })).rejects.toThrow(
      /tiny-bk \(hash [0-9a-f]{32}\).*--model/,
    );
    const otherModel = path.resolve(model, '../tiny-sd1');
    const changed = await requestFromRecipe(file, { out: work, provider: 'cpu', model: otherModel });
    await expect(generate(changed, context, '1')).rejects.toMatchObject({ code: 'recipe.differs' });
  });

  it('takes the hash that an older version wrote', async () => {
    const { images } = await make('young', { seed: 3 });
    const recipe = await readRecipe(images[0]?.path as string);
    const { data, info } = await sharp(images[0]?.path).raw().toBuffer({ resolveWithObject: true });
    const again = async (hash: string) => {
      const file = path.join(work, `${hash}.png`);
      const older = { ...recipe, model: { ...recipe.model, hash } };
      writeFileSync(file, await encodePng({ ...info, data }, older));
      const said = { out: path.join(work, 'old'), provider: 'cpu', model } as const;
      return generate(await requestFromRecipe(file, said), context, '1');
    };
    expect((await again('448c18442c01ca4f')).images).toHaveLength(1);
    await expect(again('448c18442c01ca40')).rejects.toMatchObject({ code: 'recipe.differs' });
  });

  it('starts from given noise and saves the final latents', async () => {
    const shape = [2, 4, 8, 12];
    const noise = path.join(work, 'noise.safetensors');
    const data = new TorchGenerator(1).randn(shape);
    writeSafetensors(noise, [{ name: 'latents', tensor: { dtype: 'f32', shape, data } }]);
    const saveLatents = path.join(work, 'deep', 'final.safetensors');
    const { images } = await make('noise', {
      prompts: ['a', 'b'],
      count: 2,
      latents: noise,
      saveLatents,
      scheduler: 'ddim',
    });
    const entry = readSafetensors(saveLatents).tensors.get('latents');
    expect(entry?.shape).toEqual([4, 4, 8, 12]);
    expect(entry && readF32(entry).data.every(Number.isFinite)).toBe(true);
    expect((await readRecipe(images[0]?.path as string)).latents).toMatch(/^[0-9a-f]{16}$/);

    const unusable = { code: 'latents.unusable' };
    await expect(make('no', { count: 3, latents: noise })).rejects.toMatchObject(unusable);
    await expect(
      make('no', { count: 2, latents: noise, size: { width: 64, height: 64 } }),
    ).rejects.toMatchObject(unusable);
    await expect(
      make('no', { latents: `${model}/unet/diffusion_pytorch_model.safetensors` }),
    ).rejects.toMatchObject(unusable);
    expect(readdirSync(work)).not.toContain('no');
  });
});
