import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunScore } from '../../../src-shared/domain/runScore.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness Wertung ß '));
const model = path.resolve('test/golden/fixtures/models/tiny-sd1');
const photos = path.join(scratch, 'photos');
const run = path.join(scratch, 'run');
afterAll(() => rmSync(scratch, { recursive: true }));

const score = (...words: string[]) =>
  likeness(['score', '--run', run, '--provider', 'cpu', '--steps', '1', '--json', ...words]);

beforeAll(async () => {
  cpSync(path.resolve('resources/sample-subject'), photos, { recursive: true });
  const words = [
    '--model',
    model,
    '--photos',
    photos,
    '--class',
    'toy',
    '--out',
    run,
    '--no-prior',
    '--provider',
    'cpu',
  ];
  const { status } = await likeness([
    'finetune',
    ...words,
    '--steps',
    '4',
    '--checkpoint-every',
    '2',
    '--sample-every',
    '9',
  ]);
  expect(status).toBe(0);
}, 1_800_000);

describe('score', { timeout: 1_800_000 }, () => {
  it('measures every checkpoint, picks one and says why; a second call draws nothing', async () => {
    const { status, stdout } = await score();
    expect(status).toBe(0);
    const events = jsonLines(stdout);
    const progress = events.filter(({ type }) => type === 'progress');
    expect(progress.at(-1)).toMatchObject({ done: 87, total: 87 });
    const done = events.at(-1) as unknown as RunScore & { files: Record<string, string> };
    expect(done).toMatchObject({ type: 'done', run, kind: 'object', seeds: 1 });
    expect(done.checkpoints.map(({ step }) => step)).toEqual([2, 4]);
    expect([2, 4]).toContain(done.pick);
    expect(done.why).toMatch(new RegExp(`^Step ${done.pick} .*\\.$`));
    for (const { figures, memorization, reach } of done.checkpoints) {
      for (const name of ['subject (MobileNetV2)', 'variety (MobileNetV2)', 'class leak (MobileNetV2)']) {
        const { value, low, high } = figures[name] as { value: number; low: number; high: number };
        expect(low <= value && value <= high, `${name} ${low} ${value} ${high}`).toBe(true);
      }
      expect(memorization).toMatchObject({ share: 0, copies: [] });
      expect(Number.isFinite(reach.balance)).toBe(true);
    }
    expect(JSON.parse(readFileSync(done.files['scores'] as string, 'utf8'))).toMatchObject({
      pick: done.pick,
    });
    for (const sheet of ['curve', 'contactSheet'])
      expect((await sharp(done.files[sheet]).metadata()).format).toBe('png');

    const drawn = path.join(run, 'scores', 'pictures');
    const folders = readdirSync(drawn);
    const [file] = folders.map((name) => path.join(drawn, name, '0000.png')) as [string];
    const before = statSync(file).mtimeMs;
    const again = jsonLines((await score()).stdout).at(-1) as unknown as RunScore;
    expect(again.checkpoints).toEqual(done.checkpoints);
    expect([readdirSync(drawn), statSync(file).mtimeMs]).toEqual([folders, before]);
  });

  it('sounds the alarm where a picture is a photo', async () => {
    const drawn = path.join(run, 'scores', 'pictures');
    const folder = readdirSync(drawn).find((name) => name.startsWith('000004-')) as string;
    await sharp(path.join(photos, '02.jpg'))
      .resize(64, 64)
      .flop()
      .png()
      .toFile(path.join(drawn, folder, '0003.png'));
    const found = jsonLines((await score('--checkpoints', '4')).stdout).at(-1) as unknown as RunScore;
    expect(found.checkpoints).toHaveLength(1);
    expect(found.checkpoints[0]?.memorization.copies).toMatchObject([
      { photo: path.join(photos, '02.jpg'), picture: path.join(drawn, folder, '0003.png') },
    ]);
  });

  it("adds prompts of one's own, and refuses what is not there", async () => {
    const prompts = path.join(scratch, 'prompts.txt');
    writeFileSync(prompts, 'a {} on the moon\n');
    const { stdout } = await score('--checkpoints', '2', '--prompts', prompts);
    const done = jsonLines(stdout).at(-1) as unknown as RunScore;
    expect(done.prompts).toHaveLength(26);
    expect(done.prompts.at(-1)).toBe('a sks toy on the moon');
    expect((await score('--checkpoints', '3')).status).toBe(1);
    expect((await score('--checkpoints', 'two')).status).toBe(2);
    expect((await likeness(['score', '--run', photos])).status).toBe(1);
  });
});

describe('photos', { timeout: 1_800_000 }, () => {
  it('finds nothing to do for good photos and changes nothing', async () => {
    const before = readdirSync(photos).map((name) => statSync(path.join(photos, name)).mtimeMs);
    const { status, stdout } = await likeness(['photos', photos, '--json']);
    expect(status).toBe(0);
    const done = jsonLines(stdout).at(-1);
    expect(done).toMatchObject({ type: 'done', advice: [], duplicates: [], unusable: [] });
    expect(done?.['photos']).toHaveLength(5);
    expect(readdirSync(photos).map((name) => statSync(path.join(photos, name)).mtimeMs)).toEqual(before);
  });

  it('names what is wrong', async () => {
    const bad = path.join(scratch, 'bad');
    cpSync(photos, bad, { recursive: true });
    await sharp(path.join(photos, '00.jpg'))
      .resize(230, 230)
      .jpeg({ quality: 60 })
      .toFile(path.join(bad, 'twice.jpg'));
    await sharp(path.join(photos, '01.jpg')).blur(8).toFile(path.join(bad, 'blurred.png'));
    writeFileSync(path.join(bad, 'broken.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]));
    writeFileSync(path.join(bad, 'notes.txt'), 'no picture');
    const done = jsonLines((await likeness(['photos', bad, '--json'])).stdout).at(-1) as {
      photos: { path: string; advice: { code: string }[] }[];
      duplicates: string[][];
      unusable: { path: string; code: string }[];
      ignored: string[];
    };
    const codes = (name: string) =>
      done.photos.find((photo) => photo.path === path.join(bad, name))?.advice.map(({ code }) => code);
    expect(codes('blurred.png')).toContain('blurred');
    expect(codes('twice.jpg')).toContain('small');
    expect(done.duplicates).toContainEqual([path.join(bad, '00.jpg'), path.join(bad, 'twice.jpg')]);
    expect(done.unusable).toMatchObject([{ path: path.join(bad, 'broken.jpg'), code: 'photos.broken' }]);
    expect(done.ignored).toContain(path.join(bad, 'notes.txt'));
    expect(existsSync(path.join(bad, 'broken.jpg'))).toBe(true);
  });

  it('refuses what is no folder', async () => {
    const { status, stderr } = await likeness(['photos', path.join(scratch, 'nowhere')]);
    expect(status).toBe(1);
    expect(stderr).toContain('nowhere');
  });
});
