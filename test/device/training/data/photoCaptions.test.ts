import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { AskedFinetune } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { classPrompts, photoPrompt } from '../../../../src-main/engine/training/data/prompts.ts';
import { captionsOf, strayCaptions } from '../../../../src-main/engine/training/data/photoCaptions.ts';
import { listPhotos } from '../../../../src-main/engine/training/data/photoFolder.ts';
import { RunFolder } from '../../../../src-main/engine/training/run/runFolder.ts';
import { scorerFiles } from '../../../../src-main/shipped.ts';
import { checkPhotos } from '../../../../src-main/features/photos/photos.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-captions-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const photos = join(scratch, 'photos');
cpSync(resolve('resources/sample-subject'), photos, { recursive: true });
const model = resolve('test/golden/fixtures/models/tiny-bk');
const caption = (name: string, text: string): void => writeFileSync(join(photos, `${name}.txt`), text);
const [first = ''] = (await listPhotos(photos)).map((file) => file.slice(photos.length + 1));
const stem = first.replace(/\.[^.]+$/, '');

async function train(out: string, asked: AskedFinetune = {}) {
  const events: JobEvent[] = [];
  const { loss } = await finetune(
    {
      out: join(scratch, out),
      resume: true,
      settings: {
        ...({ model, photos, classNoun: 'bear', prior: false, size: 32, provider: 'cpu' } as const),
        ...{ steps: 1, batch: 5, lora: { rank: 1 }, textLora: { rank: 1 }, ...asked },
      },
    },
    { report: (event) => void events.push(event), signal: new AbortController().signal },
    'test',
  );
  const said = events.flatMap((event) => ('message' in event ? [event.message] : [])).join('\n');
  return { loss, said, settings: new RunFolder(join(scratch, out)).describe().settings };
}

describe('captions beside photos', { timeout: 120_000 }, () => {
  it('are read by the name of the photo, on one line; an empty one is none', async () => {
    caption(stem, '\ufeff  {token} {class}\r\n on a rug \n');
    caption('nobody', 'a stray');
    writeFileSync(join(photos, 'README.txt'), 'where these are from');
    const all = await listPhotos(photos);
    expect(captionsOf(all)).toEqual({ [first]: '{token} {class} on a rug' });
    expect(strayCaptions(photos, all)).toEqual([join(photos, 'nobody.txt')]);
    caption(stem, ' \n');
    expect(captionsOf(await listPhotos(photos))).toEqual({});
  });

  it('are the whole prompt, with the subject filled in', () => {
    const settings = { token: 'sks', classNoun: 'bear', photoScenes: { [first]: 'on grass' } };
    const captioned = { ...settings, photoCaptions: { [first]: 'my {token} {class}, a {class}' } };
    expect(photoPrompt(settings, first)).toBe('a photo of sks bear on grass');
    expect(photoPrompt(captioned, join('/there', first))).toBe('my sks bear, a bear');
    expect(photoPrompt(captioned, 'other.jpg')).toBe('a photo of sks bear');
  });

  it('change what a run learns, are kept with it, and can be left out', async () => {
    rmSync(join(photos, `${stem}.txt`));
    const none = await train('none');
    expect(none.settings.photoCaptions).toBeUndefined();
    caption(stem, 'a drawing of {token} {class} by the sea');
    const told = await train('told');
    expect(told.said).toMatch(/nobody\.txt is ignored: a caption has its photo's name/);
    expect(told.said).toContain('1 of 5 photos has a caption beside it, which is used as its prompt');
    expect(told.settings.photoCaptions).toEqual({ [first]: 'a drawing of {token} {class} by the sea' });
    expect(told.loss).not.toBe(none.loss);
    expect((await train('off', { captions: false })).loss).toBe(none.loss);
  });

  it('that change later change nothing of a run that has begun', async () => {
    caption(stem, 'something else');
    const on = await train('told', { steps: 2 });
    caption(stem, 'a drawing of {token} {class} by the sea');
    expect(on.loss).toBe((await train('whole', { steps: 2 })).loss);
  });

  it('of class pictures are theirs in turn, and are drawn and learnt', async () => {
    const settings = {
      classNoun: 'bear',
      prior: { weight: 1, classImages: 3, classSteps: 25, prompt: 'a {class}{ at sea|}' },
    };
    expect(classPrompts(settings)).toEqual(['a bear at sea', 'a bear']);
    expect(classPrompts({ classNoun: 'bear', prior: null })).toEqual(['a photo of bear']);
    const run = (out: string, prompt?: string) =>
      train(out, { prior: { classImages: 2, ...(prompt !== undefined && { prompt }) }, batch: 2 });
    const [plain, said, turns] = [
      await run('plain'),
      await run('said', 'a photo of {class}'),
      await run('turns', 'a photo of {class}{| at sea}'),
    ];
    expect(said.loss).toBe(plain.loss);
    expect(turns.loss).not.toBe(plain.loss);
    expect(turns.settings.prior?.prompt).toBe('a photo of {class}{| at sea}');
  });

  it('that do not name the subject, and a table that is not read, are warned of by name', async () => {
    caption(stem, 'a bear on a rug');
    const table = join(photos, 'metadata.jsonl');
    writeFileSync(table, JSON.stringify({ file_name: first, text: 'a bear on a rug' }));
    const { said } = await train('unnamed');
    rmSync(table);
    expect(said).toMatch(new RegExp(`${stem}.*do not name the subject`));
    expect(said).toMatch(/metadata\.jsonl is not read here.*NAME\.txt/);
  });

  it('are no strays to the look at photos', async () => {
    caption(stem, 'a bear on a rug');
    caption('nobody', 'a stray');
    const context = { report: () => undefined, signal: new AbortController().signal };
    const { ignored } = await checkPhotos({ folder: photos, mobileNet: scorerFiles.mobileNet }, context);
    expect(ignored.map((file) => file.slice(photos.length + 1))).toContain('nobody.txt');
    expect(ignored.join()).not.toContain(`${stem}.txt`);
    expect(readFileSync(join(photos, `${stem}.txt`), 'utf8')).toBe('a bear on a rug');
  });
});
