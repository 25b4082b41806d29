import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readF32, type Weights } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeDiffusers } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { exportRun } from '../../../src-main/features/export/export.ts';
import { requestFromRecipe } from '../../../src-main/features/generation/fromRecipe.ts';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults, type GenerateRequest } from '../../../src-main/features/generation/request.ts';
import { modelFor } from '../../../src-main/features/generation/runs.ts';
import { inspect } from '../../../src-main/features/inspect/inspect.ts';
import { finetune } from '../../../src-main/features/training/finetune.ts';
import { likeness } from '../../pure/cli/likeness.ts';

const base = path.resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness whole runs '));
process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const run = path.join(scratch, 'run');
const exported = path.join(scratch, 'exported');
const context = { report: () => undefined, signal: new AbortController().signal };

beforeAll(async () => {
  const photos = path.join(scratch, 'photos');
  mkdirSync(photos);
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } }).toFile(
    path.join(photos, 'red.png'),
  );
  const settings = {
    ...({ model: base, photos, classNoun: 'brick', steps: 2, size: 32, provider: 'cpu' } as const),
    ...{ prior: false as const, method: 'full' as const, learningRate: 1e-2, checkpointEvery: 1 },
  };
  await finetune({ out: run, resume: false, settings }, context, 'test');
  await exportRun({ run, out: exported, format: 'diffusers', transformers: 4 }, context);
}, 300_000);

let count = 0;
async function pixels(request: Pick<GenerateRequest, 'model'> & Partial<GenerateRequest>): Promise<Buffer> {
  const out = path.join(scratch, `pictures-${count++}`);
  const asked = { ...generateDefaults, prompts: ['a brick'], seed: 3, steps: 2, guidance: 4, ...request };
  const { images } = await generate({ ...asked, provider: 'cpu', out }, context, 'test');
  return sharp(images[0]?.path).raw().toBuffer();
}

/** The model in the middle between the base and the export, as a folder. */
function halfway(): string {
  const [from, to] = [openModel(base), openModel(exported)];
  const middle = (a: Weights, b: Weights) =>
    new Map(
      a.names().map((name) => {
        const [x, y] = [a, b].map((weights) => {
          const entry = weights.get(name);
          if (!entry) throw new Error(name);
          return readF32(entry);
        }) as [ReturnType<typeof readF32>, ReturnType<typeof readF32>];
        return [name, { ...x, data: x.data.map((value, i) => (value + (y.data[i] ?? 0)) / 2) }];
      }),
    );
  const folder = path.join(scratch, 'halfway');
  const textEncoder = middle(from.textEncoder.weights, to.textEncoder.weights);
  writeDiffusers(folder, from, { unet: middle(from.unet.weights, to.unet.weights), textEncoder });
  return folder;
}

describe('a full run', () => {
  it('draws as its export does: given as a LoRA or as the model, whole or by a checkpoint', async () => {
    const wanted = await pixels({ model: exported });
    expect(wanted.equals(await pixels({ model: base }))).toBe(false);
    expect(await pixels({ model: base, loras: [{ path: run, weight: 1 }] })).toEqual(wanted);
    expect(await pixels({ model: run })).toEqual(wanted);
    const last = path.join(run, 'checkpoints', '000002');
    expect(await pixels({ model: base, loras: [{ path: last, weight: 1 }] })).toEqual(wanted);
    expect(await pixels({ model: last })).toEqual(wanted);
    expect(modelFor([{ path: last, weight: 1 }], 'the shipped model')).toBe(base);
    const first = path.join(run, 'checkpoints', '000001');
    expect((await pixels({ model: base, loras: [{ path: first, weight: 1 }] })).equals(wanted)).toBe(false);
  });

  it('draws in part, and several at once, as the model whose weights lie between', async () => {
    const half = await pixels({ model: halfway() });
    const distance = (other: Buffer): number =>
      Math.max(...half.map((value, i) => Math.abs(value - (other[i] ?? 0))));
    expect(distance(await pixels({ model: base, loras: [{ path: run, weight: 0.5 }] }))).toBeLessThan(2);
    const quarters = [0.25, 0.25].map((weight) => ({ path: run, weight }));
    expect(distance(await pixels({ model: base, loras: quarters }))).toBeLessThan(2);
    expect(await pixels({ model: base, loras: [{ path: run, weight: 0 }] })).toEqual(
      await pixels({ model: base }),
    );
  });

  it('is refused with a model that it does not fit, and is in the recipe', async () => {
    const other = path.resolve('test/golden/fixtures/models/tiny-sd2');
    await expect(pixels({ model: other, loras: [{ path: run, weight: 1 }] })).rejects.toMatchObject({
      code: 'lora.otherModel',
    });
    const out = path.join(scratch, 'cli');
    const words = ['generate', '--lora', run, '--prompt', 'a brick', '--seed', '3', '--steps', '2'];
    const { status } = await likeness([...words, '--guidance', '4', '--provider', 'cpu', '--out', out]);
    expect(status).toBe(0);
    const picture = path.join(out, readdirSync(out)[0] ?? '');
    expect(await sharp(picture).raw().toBuffer()).toEqual(await pixels({ model: exported }));
    const { model, loras } = await readRecipe(picture);
    expect([model.name, loras.length]).toEqual(['tiny-bk', 1]);
    const again = await requestFromRecipe(picture, { out: path.join(scratch, 'again'), provider: 'cpu' });
    const { images } = await generate(again, context, 'test');
    expect(await sharp(images[0]?.path).raw().toBuffer()).toEqual(await sharp(picture).raw().toBuffer());
  });
});

describe('a run from elsewhere', () => {
  /** A copy of the run that says that something is where it is not. */
  function lost(name: string, settings: object): string {
    const copy = path.join(scratch, name);
    cpSync(run, copy, { recursive: true });
    const file = path.join(copy, 'run.json');
    const about = JSON.parse(readFileSync(file, 'utf8')) as { settings: object };
    writeFileSync(file, JSON.stringify({ ...about, settings: { ...about.settings, ...settings } }));
    return copy;
  }
  const resumed = (out: string) => finetune({ out, resume: true, settings: {} }, context, 'test');

  it('is drawn with the model that is the same, and with no other', () => {
    const copy = lost('no model', { model: '/nowhere/model' });
    expect(modelFor([{ path: copy, weight: 1 }], base)).toBe(base);
    const other = path.resolve('test/golden/fixtures/models/tiny-sd1');
    expect(() => modelFor([{ path: copy, weight: 1 }], other)).toThrow(
      /no model was trained on the model .*nowhere.*--model/,
    );
  });

  it('says what is gone and how to give it', async () => {
    const model = lost('gone model', { model: '/nowhere/model' });
    await expect(resumed(model)).rejects.toThrow(/was trained on the model .*nowhere.model.*--model/);
    await expect(
      exportRun({ run: model, out: `${model} out`, format: 'diffusers', transformers: 4 }, context),
    ).rejects.toMatchObject({ code: 'run.modelGone' });
    const photos = lost('gone photos', { photos: '/nowhere/photos' });
    await expect(resumed(photos)).rejects.toThrow(/learnt from the photos in .*nowhere.photos.*--photos/);
  });
});

describe('a checkpoint that has lost a part', () => {
  const losing = (name: string, part: string, from = run): string => {
    const copy = path.join(scratch, name);
    cpSync(from, copy, { recursive: true });
    rmSync(path.join(copy, 'checkpoints/000002', part), { recursive: true });
    return copy;
  };
  const drawnWith = (place: string, more: Partial<GenerateRequest> = {}): Promise<Buffer> =>
    pixels({ model: base, loras: [{ path: place, weight: 1 }], ...more });

  it('is refused by everything that would use the rest, and inspect names it', async () => {
    for (const part of ['unet', 'text_encoder']) {
      const half = losing(`half of ${part}`, part);
      const last = path.join(half, 'checkpoints/000002');
      const refusal = `${last} has lost ${part}, which its run trained too`;
      await expect(drawnWith(half)).rejects.toThrow(refusal);
      await expect(drawnWith(last)).rejects.toThrow(refusal);
      const asked = { out: `${half} out`, format: 'diffusers', transformers: 5 } as const;
      await expect(exportRun({ run: half, ...asked }, context)).rejects.toThrow(refusal);
      const { report } = await inspect(half);
      expect(report.problems).toEqual([`${last} has lost ${part}; copy the whole folder again`]);
      // The other checkpoint is whole, and half a one can be asked for.
      expect((await exportRun({ run: half, checkpoint: 1, ...asked }, context)).step).toBe(1);
      await drawnWith(half, { partial: true });
    }
    expect((await inspect(run)).report.problems).toEqual([]);
  });

  it('is refused as a LoRA, as the start of a run, in a mix, and of several words', async () => {
    const photos = path.join(scratch, 'photos');
    const usual = { model: base, photos, classNoun: 'brick', size: 32, provider: 'cpu' } as const;
    const settings = { ...usual, prior: false, steps: 2, checkpointEvery: 2 } as const;
    const lora = path.join(scratch, 'lora');
    await finetune({ out: lora, resume: false, settings }, context, 'test');
    const half = losing('half a LoRA', 'unet', lora);
    const refusal = { code: 'run.half' };
    await expect(drawnWith(half)).rejects.toMatchObject(refusal);
    const start = {
      out: path.join(scratch, 'further'),
      resume: false,
      settings: { ...settings, initLora: half },
    };
    await expect(finetune(start, context, 'test')).rejects.toMatchObject(refusal);
    const mix = { model: base, loras: [{ path: path.join(half, 'checkpoints/000002'), weight: 1 }] };
    const asked = { out: path.join(scratch, 'mix'), format: 'diffusers', transformers: 5 } as const;
    await expect(exportRun({ run: mix, ...asked }, context)).rejects.toMatchObject(refusal);
    const other = path.join(scratch, 'photos of another');
    cpSync(photos, other, { recursive: true });
    const words = path.join(scratch, 'words');
    const otherSubjects = [{ classNoun: 'wall', token: '<wall>', photos: other }];
    const taught = { ...settings, method: 'embedding', token: '<brick>', otherSubjects } as const;
    await finetune({ out: words, resume: false, settings: taught }, context, 'test');
    const one = losing('one word', 'embeddings/wall.safetensors', words);
    await expect(drawnWith(one)).rejects.toThrow(/has lost embeddings.wall\.safetensors/);
  });
});
