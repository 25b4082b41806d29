import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { finetune as command } from '../../../../src-main/cli/commands/finetune.ts';
import { classPrompt } from '../../../../src-main/engine/training/data/prompts.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { rerun } from '../../../../src-main/features/training/rerun.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-class-photos-'));
const photos = join(scratch, 'photos');
const others = join(scratch, 'others');
const run = join(scratch, 'run');
const events: JobEvent[] = [];
const context = { report: (event: JobEvent) => events.push(event), signal: new AbortController().signal };

const picture = (folder: string, name: string, background: string): Promise<unknown> =>
  sharp({ create: { width: 40, height: 34, channels: 3, background } }).toFile(join(folder, name));

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  for (const folder of [photos, others]) mkdirSync(folder);
  for (const background of ['red', 'orange']) await picture(photos, `${background}.png`, background);
  for (const [i, background] of ['grey', 'navy', 'teal', 'olive'].entries())
    await picture(others, `${i}.png`, background);
});

const settings = {
  ...({
    model,
    photos,
    classNoun: 'brick',
    steps: 2,
    size: 32,
    provider: 'cpu',
    learningRate: 1e-3,
  } as const),
  ...{ checkpointEvery: 1, classPhotos: others, lora: { rank: 2 } },
};

describe("a person's own pictures of the class", () => {
  it('turn prior preservation on, and none are made', async () => {
    await finetune({ out: run, resume: false, settings }, context, 'test');
    const { settings: kept } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      settings: { prior: unknown; classPhotos: string };
    };
    expect(kept).toMatchObject({ prior: { weight: 1, classImages: 200 }, classPhotos: others });
    expect(existsSync(join(scratch, 'cache', 'class-pictures'))).toBe(false);
    expect(readdirSync(others)).toHaveLength(4);
    const read = events.filter(
      (event) => event.type === 'progress' && event.label === 'reading class pictures',
    );
    expect(read.at(-1)).toMatchObject({ total: 4 });
  });

  it('are at most as many as are asked for', async () => {
    events.length = 0;
    const few = { ...settings, prior: { classImages: 3 } };
    await finetune({ out: join(scratch, 'few'), resume: false, settings: few }, context, 'test');
    const read = events.filter(
      (event) => event.type === 'progress' && event.label === 'reading class pictures',
    );
    expect(read.at(-1)).toMatchObject({ total: 3 });
  });

  it('are trained with their captions, unless captions are off', async () => {
    events.length = 0;
    for (const name of ['0', '2'])
      writeFileSync(join(others, `${name}.txt`), 'a {token} {class} in the\nsnow, ice on it');
    const losses = async (name: string, captions: boolean): Promise<number[]> => {
      const from = events.length;
      const out = join(scratch, name);
      await finetune({ out, resume: false, settings: { ...settings, captions } }, context, 'test');
      return events.slice(from).flatMap((event) => (event.type === 'step' ? event.loss : []));
    };
    const [off, on] = [await losses('captions off', false), await losses('captions on', true)];
    for (const name of ['0', '2']) rmSync(join(others, `${name}.txt`));
    expect(off).toHaveLength(2);
    expect(on).not.toEqual(off);
    expect(events.filter(({ type }) => type === 'note')).toContainEqual({
      type: 'note',
      message: expect.stringContaining('2 of 4 class pictures have a caption beside them') as string,
    });
    const { settings: kept } = JSON.parse(readFileSync(join(scratch, 'captions on', 'run.json'), 'utf8')) as {
      settings: Parameters<typeof classPrompt>[0];
    };
    const prompts = ['0.png', '1.png', '2.png'].map((file, i) => classPrompt(kept, join(others, file), i));
    const told = 'a brick in the snow, ice on it';
    expect(prompts).toEqual([told, 'a photo of brick', told]);
  });

  it('are those of the run when it is made again, and when it goes on', async () => {
    const again = { capsule: run, out: join(scratch, 'again'), resume: false };
    expect(await rerun(again, context, 'test')).toMatchObject({ same: true });
    expect(readFileSync(join(run, 'capsule.json'), 'utf8')).not.toContain(scratch);
    await picture(others, '2.png', 'white');
    await expect(finetune({ out: run, resume: true, settings: {} }, context, 'test')).rejects.toThrow(
      /2\.png in .*others is another picture now/,
    );
    await expect(rerun({ ...again, out: join(scratch, 'third') }, context, 'test')).rejects.toThrow(
      /--class-photos/,
    );
  });

  it('do not go together with none', () => {
    const words = ['--photos', photos, '--class', 'brick', '--out', run, '--class-photos', others];
    expect(() => command.prepare([...words, '--no-prior'])).toThrow(
      '--no-prior and --class-photos do not go together',
    );
  });
});
