import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';
import { commonScenes as scenes } from '../../../src-shared/domain/scenes.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness schnellstart ß '));
const model = path.join(scratch, 'model');
const photos = path.join(scratch, 'photos');
afterAll(() => rmSync(scratch, { recursive: true }));

/** A model of 0.3 M parameters that brings its own finetune settings along, as the shipped one does. */
function setOwnSettings(finetune: object): void {
  writeFileSync(path.join(model, 'likeness.json'), JSON.stringify({ finetune }));
}

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');
  cpSync(path.resolve('test/golden/fixtures/models/tiny-sd1'), model, { recursive: true });
  mkdirSync(photos);
  for (const background of ['red', 'brown', 'orange'])
    await sharp({ create: { width: 90, height: 70, channels: 3, background } }).toFile(
      path.join(photos, `${background}.png`),
    );
});

const words = (out: string, ...more: string[]): string[] => [
  ...['quickstart', '--photos', photos, '--class', 'clay brick', '--model', model],
  ...['--provider', 'cpu', '--out', out, ...more],
];

/** Some are five commands one after the other. */
describe('quickstart', { timeout: 600_000 }, () => {
  it('goes from photos to pictures, a sheet and weights that load', async () => {
    setOwnSettings({ steps: 3, prior: { weight: 1, classImages: 1 } });
    const out = path.join(scratch, 'whole');
    const { status, stdout } = await likeness(words(out, '--json'));
    expect(status).toBe(0);
    const events = jsonLines(stdout);
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(3);
    const done = events.at(-1) as {
      pictures: { path: string; prompt: string }[];
      weights: { format: string; path: string }[];
    };
    expect(done).toMatchObject({
      type: 'done',
      out,
      steps: 3,
      contactSheet: path.join(out, 'contact-sheet.png'),
    });
    expect(done.pictures.map(({ prompt }) => prompt)).toEqual(
      scenes.map((scene) => `a photo of sks clay brick ${scene}`),
    );
    for (const picture of done.pictures)
      expect((await readRecipe(picture.path)).loras.map(({ weight }) => weight)).toEqual([1]);
    expect((await sharp(path.join(out, 'contact-sheet.png')).metadata()).format).toBe('png');
    const [kohya, diffusers] = done.weights;
    expect(readLora(String(kohya?.path)).adapters.length).toBeGreaterThan(0);
    expect(openModel(String(diffusers?.path)).kind).toBe('diffusers');
  });

  it('goes on where Ctrl-C ended it, and keeps what was made', async () => {
    setOwnSettings({ steps: 40, prior: { weight: 1, classImages: 1 } });
    const out = path.join(scratch, 'broken off');
    const cut = await likeness(words(out, '--json'), (child) => {
      child.stdout?.on('data', (text: Buffer) => {
        if (text.includes('"step":4,')) child.kill('SIGINT');
      });
    });
    expect(cut.status).toBe(130);
    const logged = (): number =>
      readFileSync(path.join(out, 'run', 'log.jsonl'), 'utf8')
        .trim()
        .split('\n').length;
    const before = logged();
    expect(before).toBeLessThan(40);

    const other = await likeness(words(out, '--steps', '2'));
    expect(other.status).toBe(1);
    expect(other.stderr).toContain(out);

    const { status, stdout } = await likeness(words(out, '--json'));
    expect(status).toBe(0);
    expect(jsonLines(stdout).filter(({ type }) => type === 'step')).toHaveLength(40 - before);
    expect(existsSync(path.join(out, 'contact-sheet.png'))).toBe(true);

    rmSync(path.join(out, 'pictures', readdirSync(path.join(out, 'pictures'))[2] as string));
    const again = await likeness(words(out, '--json'));
    expect(again.status).toBe(0);
    const pictures = (jsonLines(again.stdout).at(-1) as { pictures: { path: string }[] }).pictures;
    expect(pictures.map(({ path: file }) => path.basename(file).slice(0, 4))).toEqual([
      '0001',
      '0002',
      '0009',
      '0004',
      '0005',
      '0006',
      '0007',
      '0008',
    ]);
  });

  it('trains whole networks where the model asks for it', async () => {
    setOwnSettings({ steps: 2, method: 'full', prior: { weight: 1, classImages: 1 } });
    const out = path.join(scratch, 'full');
    const { status, stdout } = await likeness(words(out, '--json'));
    expect(status).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      method: 'full',
      weights: [{ format: 'diffusers', path: path.join(out, 'weights', 'diffusers') }],
    });
  });

  it.each([
    [['--class', 'dog'], '--photos'],
    [['--photos', photos], '--class'],
  ])('wants photos and their class together: %s', async (said, missing) => {
    const { status, stderr } = await likeness(['quickstart', ...said]);
    expect([status, stderr.includes(missing)]).toEqual([2, true]);
  });
});
