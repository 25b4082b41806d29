import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AskedFinetune, finetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import type { JobEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { openModelFolder } from '../../../../src-main/engine/checkpoints/modelFolder.ts';
import { subjectDatasets } from '../../../../src-main/engine/training/data/finetuneBatches.ts';
import { masksOf } from '../../../../src-main/engine/training/data/masks.ts';
import type { StartTeamWorker } from '../../../../src-main/engine/training/team/gather.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import { type FinetuneRequest } from '../../../../src-main/features/training/request.ts';
import { likeness } from '../../../pure/cli/likeness.ts';

const model = resolve('test/golden/fixtures/models/tiny-bk');
const scratch = mkdtempSync(join(tmpdir(), 'likeness masks ü'));
const plain = join(scratch, 'plain');
const masked = join(scratch, 'masked');
const [width, height, steps] = [64, 48, 4];
const patience = 600_000;
let made = 0;

/** A mask by what each pixel is, 0…255. */
function writeMask(file: string, grey: (x: number, y: number) => number, size = { width, height }) {
  const data = Uint8Array.from({ length: size.width * size.height }, (_, i) =>
    grey(i % size.width, Math.floor(i / size.width)),
  );
  return sharp(data, { raw: { ...size, channels: 1 } })
    .png()
    .toFile(file);
}

/** A copy of the masked photos, to be spoilt. */
function copied(): string {
  const folder = join(scratch, `copy-${made++}`);
  cpSync(masked, folder, { recursive: true });
  return folder;
}

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  mkdirSync(plain);
  for (const [i, background] of ['red', 'green', 'blue'].entries())
    await sharp({ create: { width, height, channels: 3, background } })
      .composite([{ input: { create: { width: 20, height: 20, channels: 3, background: 'white' } } }])
      .toFile(join(plain, `${i}.png`));
  cpSync(plain, masked, { recursive: true });
  mkdirSync(join(masked, 'masks'));
  for (const i of [0, 2])
    await writeMask(join(masked, 'masks', `${i}.png`), (x, y) => (x < 32 && y > 8 && y < 40 ? 255 : 0));
});

const small = {
  ...({ model, classNoun: 'brick', steps, size: 32, provider: 'cpu' } as const),
  ...{ learningRate: 1e-3, accumulate: 2, checkpointEvery: 2, sampleEvery: 99, flip: true },
  prior: { weight: 0.5, classImages: 2 },
} satisfies AskedFinetune;

interface Watched {
  readonly out: string;
  readonly events: readonly JobEvent[];
  readonly error: unknown;
}

async function train(
  settings: AskedFinetune,
  { out = join(scratch, `run-${made++}`), ...request }: Partial<FinetuneRequest> = {},
  stopAfter?: number,
): Promise<Watched> {
  const events: JobEvent[] = [];
  const controller = new AbortController();
  const report = (event: JobEvent): void => {
    events.push(event);
    if (event.type === 'step' && event.step === stopAfter) controller.abort(new Error('stopped'));
  };
  const asked = { out, resume: true, ...request, settings: { ...small, ...settings } };
  const error = await finetune(asked, { report, signal: controller.signal }, 'test').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { out, events, error };
}

/** Digests of the last checkpoint's files. */
function finalFiles(run: string): Record<string, string> {
  const folder = join(run, 'checkpoints', String(steps).padStart(6, '0'));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [relative(folder, file), createHash('sha256').update(readFileSync(file)).digest('hex')];
    }),
  );
}

const lossesOf = ({ events }: Watched): number[] =>
  events.flatMap((event) => (event.type === 'step' ? event.loss : []));
const said = ({ events }: Watched): string =>
  events.flatMap((event) => ('message' in event ? event.message : [])).join('\n');

describe('the masks of photos', () => {
  it('that differ in their endings alone are one, unless each has its own', async () => {
    const folder = join(scratch, 'twins');
    mkdirSync(join(folder, 'masks'), { recursive: true });
    const photos = ['a.jpg', 'a.png'].map((name) => join(folder, name));
    const masks = async (): Promise<readonly (string | undefined)[]> => {
      const found = await masksOf(folder, photos);
      return photos.map((photo) => found.masks.get(photo)?.slice(folder.length + '/masks/'.length));
    };
    writeFileSync(join(folder, 'masks/a.png'), '');
    expect(await masks()).toEqual(['a.png', 'a.png']);
    writeFileSync(join(folder, 'masks/A.JPG.png'), '');
    expect(await masks()).toEqual(['A.JPG.png', 'a.png']);
  });
});

describe('a run with masks', () => {
  let calm: Watched;

  it('says that it has them, and learns otherwise than without', { timeout: patience }, async () => {
    const without = await train({ photos: plain });
    calm = await train({ photos: masked });
    expect([without.error, calm.error]).toEqual([undefined, undefined]);
    expect(said(without)).toBe('');
    expect(said(calm)).toContain('2 of 3 photos have a mask; their background counts 0.3');
    expect(finalFiles(calm.out)).not.toEqual(finalFiles(without.out));
    const { settings } = JSON.parse(readFileSync(join(calm.out, 'run.json'), 'utf8')) as {
      settings: AskedFinetune;
    };
    expect(settings.backgroundWeight).toBe(0.3);
    // A weight of one is no mask at all, to the last bit.
    const ignored = await train({ photos: masked, backgroundWeight: 1 });
    expect(said(ignored)).toBe('');
    expect(finalFiles(ignored.out)).toEqual(finalFiles(without.out));
  });

  it('that was interrupted goes on to the same bits', { timeout: patience }, async () => {
    const stopped = await train({ photos: masked }, {}, 3);
    expect(stopped.error).toMatchObject({ message: 'stopped' });
    const resumed = await train({ photos: masked }, { out: stopped.out });
    expect(lossesOf(resumed)).toEqual(lossesOf(calm).slice(3));
    expect(finalFiles(stopped.out)).toEqual(finalFiles(calm.out));
  });

  it('of every weight that was killed goes on to the same bits', { timeout: patience }, async () => {
    const settings: AskedFinetune = { method: 'full', photos: masked, backgroundWeight: 0.2 };
    const expected = await train(settings);
    const out = join(scratch, 'killed');
    const { status } = await likeness(
      [
        ...['finetune', '--out', out, '--model', model, '--photos', masked, '--class', 'brick'],
        ...[
          '--size',
          '32',
          '--method',
          'full',
          '--steps',
          String(steps),
          '--lr',
          '1e-3',
          '--accumulate',
          '2',
        ],
        ...['--flip', '--provider', 'cpu', '--checkpoint-every', '2', '--sample-every', '99'],
        ...['--prior-weight', '0.5', '--class-images', '2', '--background-weight', '0.2', '--json'],
      ],
      (child) => {
        child.stdout?.on('data', (text: string) => {
          if (text.includes('"step":3,')) child.kill('SIGKILL');
        });
      },
    );
    expect([null, 0]).toContain(status);
    const resumed = await train(settings, { out });
    expect(resumed.error).toBeUndefined();
    expect(finalFiles(out)).toEqual(finalFiles(expected.out));
  });

  it('by two workers learns what one process does', { timeout: patience }, async () => {
    const start: StartTeamWorker = ({ address, token }) =>
      spawn(
        process.execPath,
        ['dist/likeness.js', 'join', address, '--model', model, '--threads', '1', '--quiet'],
        {
          env: { ...process.env, LIKENESS_TOKEN: token },
          stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        },
      );
    const together = await train({ photos: masked }, { team: { workers: 2, start } });
    expect(together.error).toBeUndefined();
    expect(lossesOf(together)).toHaveLength(steps);
    lossesOf(together).forEach((loss, i) => expect(loss).toBeCloseTo(lossesOf(calm)[i] as number, 4));
  });
});

describe('photos with masks', () => {
  const quiet = (): void => undefined;
  const dataset = (photos: string, more: AskedFinetune, report: (event: JobEvent) => void = quiet) =>
    subjectDatasets(
      openModelFolder(model),
      completeSettings(finetuneSettings, { ...small, prior: false, ...more, photos }, { model, size: 32 }),
      1000,
      join(scratch, 'cache'),
      { report, signal: new AbortController().signal },
    );
  const weights = async (photos: string, more: AskedFinetune = {}) =>
    (await dataset(photos, more))[0][0].subject.map(({ lossWeights }) => lossWeights && [...lossWeights]);

  it('weigh one on average, are mirrored with their photo, and leave the others alone', async () => {
    const [first, mirrored, second, , third] = await weights(masked);
    expect([second, third]).toEqual([undefined, first]);
    expect(first).toHaveLength(16);
    expect(first?.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(16, 4);
    const rows = [0, 4, 8, 12].map((start) => first?.slice(start, start + 4) ?? []);
    expect(mirrored).toEqual(rows.flatMap((row) => row.toReversed()));
    // The square is cut out of the middle: of the 64 columns 8 to 55, so that the subject ends in its middle.
    const [least, most] = [Math.min(...(first ?? [])), Math.max(...(first ?? []))];
    expect(rows[1]?.[0]).toBe(most);
    expect(rows[1]?.[3]).toBe(least);
    expect(most / least).toBeCloseTo(1 / 0.3, 3);
  });

  it('are found where a subject stands out, and give way to those that were painted', async () => {
    const folder = copied();
    await sharp({ create: { width, height, channels: 3, background: 'gray' } }).toFile(
      join(folder, 'flat.png'),
    );
    const notes: string[] = [];
    const [[{ subject }]] = await dataset(folder, { autoMask: true, flip: false }, (event) => {
      if (event.type === 'note') notes.push(event.message);
    });
    const [painted, found, paintedToo, flat] = subject.map(
      ({ lossWeights }) => lossWeights && [...lossWeights],
    );
    expect(subject).toHaveLength(4);
    const [first, , third] = await weights(folder, { flip: false });
    expect([painted, paintedToo]).toEqual([first, third]);
    // White, 20 pixels wide, in the middle of the photo: in the four latents of the middle.
    expect([5, 6, 9, 10].every((at) => (found?.[at] ?? 0) > 1)).toBe(true);
    expect([0, 3, 12, 15].every((at) => (found?.[at] ?? 1) < 1)).toBe(true);
    expect(flat).toBeUndefined();
    expect(notes.join()).toContain('found automatically in 1 of 2 photos');
  });

  it('cut to the subject, show it large, wherever it stands', async () => {
    const folder = copied();
    await writeMask(join(folder, 'masks', '0.png'), (x, y) => (x >= 44 && y < 20 ? 255 : 0));
    const [[{ subject }]] = await dataset(folder, { crop: 'subject', flip: false });
    const [corner, unmasked] = subject;
    const inside = corner?.lossWeights?.filter((weight) => weight > 1).length ?? 0;
    // The mask is 20 pixels wide; with its margin it fills 9 of the 16 latents at least, and 4 of the whole photo's.
    expect(inside).toBeGreaterThanOrEqual(9);
    const [[{ subject: whole }]] = await dataset(folder, { crop: 'center', flip: false });
    expect(whole.map(({ lossWeights }) => lossWeights?.length)).toEqual([16, undefined, 16]);
    expect(unmasked?.lossWeights).toBeUndefined();
  });

  it('cut to a small subject in the middle, show it large', async () => {
    const folder = copied();
    const isIn = (at: number): boolean => at >= 22 && at < 42;
    await writeMask(join(folder, 'masks', '0.png'), (x, y) => (isIn(x) && isIn(y) ? 255 : 0));
    const most = async (crop: 'center' | 'subject'): Promise<number> => {
      const [[{ subject }]] = await dataset(folder, { crop, flip: false, backgroundWeight: 0.25 });
      const weights = [...(subject[0]?.lossWeights ?? [])];
      return Math.max(...weights) / Math.min(...weights);
    };
    // 20 of 32 pixels wide, it fills latents of 8 pixels; of the whole photo, 10 pixels wide, it fills none.
    expect(await most('subject')).toBeCloseTo(1 / 0.25, 5);
    expect(await most('center')).toBeLessThan(0.9 / 0.25);
  });

  it('that are turned by EXIF are masked as they are seen', async () => {
    const folder = join(scratch, 'turned');
    mkdirSync(join(folder, 'masks'), { recursive: true });
    const size = { width: 48, height: 64 };
    await sharp({ create: { width, height, channels: 3, background: 'red' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(join(folder, 'tall.jpg'));
    await writeMask(join(folder, 'masks', 'tall.png'), (_, y) => (y < 32 ? 255 : 0), size);
    const [found = []] = await weights(folder, { flip: false });
    expect(found.slice(0, 8).every((weight) => weight > 1)).toBe(true);
    expect(found.slice(8).every((weight) => weight < 1)).toBe(true);
  });

  it('in random crops keep those that show the subject', async () => {
    const folder = copied();
    await writeMask(join(folder, 'masks', '0.png'), (x) => (x > 52 ? 255 : 0));
    await writeMask(join(folder, 'masks', '1.png'), (x) => (x > 44 ? 128 : 0));
    const [[{ subject }]] = await dataset(folder, { crop: 'random', flip: false });
    expect(subject.length).toBeGreaterThan(3);
    expect(subject.length).toBeLessThan(24);
    for (const { lossWeights } of subject) expect(Math.max(...(lossWeights ?? [0]))).toBeGreaterThan(1);
  });

  it.each([
    [
      'masks.otherSize',
      'of another size',
      '48 × 64',
      (file: string) => writeMask(file, () => 255, { width: 48, height: 64 }),
    ],
    ['masks.empty', 'that is black', 'black', (file: string) => writeMask(file, () => 0)],
    [
      'masks.outside',
      'whose subject is cut off',
      'square',
      (file: string) => writeMask(file, (x) => (x < 4 ? 255 : 0)),
    ],
    [
      'photos.broken',
      'that is damaged',
      'damaged',
      (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 60)),
    ],
    ['photos.unsupported', 'that is no picture', 'picture', (file: string) => writeFileSync(file, 'white')],
  ] as const)('%s: a mask %s is refused by its file', async (code, _, words, spoil) => {
    const folder = copied();
    const file = join(folder, 'masks', '2.png');
    await spoil(file);
    const { error } = await train({ photos: folder });
    expect(error).toMatchObject({ name: 'LikenessError', code });
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).toContain(words);
  });

  it('are told of files that are no mask of theirs', async () => {
    const folder = copied();
    const stray = join(folder, 'masks', '7.png');
    copyFileSync(join(folder, 'masks', '0.png'), stray);
    const events: JobEvent[] = [];
    await dataset(folder, {}, (event) => events.push(event));
    expect(events).toContainEqual({ type: 'warning', message: expect.stringContaining(stray) as string });
  });
});
