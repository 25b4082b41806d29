import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { dreamboothProtocol, type DreamboothResult } from '../../../src-main/features/dreambooth/protocol.ts';
import { subjectsIn } from '../../../src-main/features/dreambooth/subjects.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-dreambooth-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const sample = resolve('resources/sample-subject');
const subjects = join(scratch, 'subjects');
const out = join(scratch, 'out');
const photos = readdirSync(sample).filter((name) => /\.(png|jpe?g|webp)$/.test(name));

function addSubject(name: string, some: readonly string[]): void {
  mkdirSync(join(subjects, name), { recursive: true });
  for (const photo of some) cpSync(join(sample, photo), join(subjects, name, photo));
}

async function measure(): Promise<{ result: DreamboothResult; events: JobEvent[] }> {
  const events: JobEvent[] = [];
  const result = await dreamboothProtocol(
    {
      ...{ subjects, out, count: 1, drawSteps: 1, provider: 'cpu' },
      settings: { steps: 1, batch: 1, sampleEvery: 5, provider: 'cpu', photoScenes: {} },
      fallbackModel: resolve('models/likeness-mini'),
      mobileNet: resolve('resources/scorers/mobilenet-v2.safetensors'),
      clip: resolve('test/golden/fixtures/towers/clip-gelu'),
      dino: resolve('test/golden/fixtures/towers/dino-new'),
    },
    { report: (event) => events.push(event), signal: new AbortController().signal },
    'test',
  );
  return { result, events };
}

const stepsIn = (events: readonly JobEvent[]): number =>
  events.filter((event) => event.type === 'step').length;

describe("DreamBooth's protocol over a folder of subjects", { timeout: 600_000 }, () => {
  let first: Awaited<ReturnType<typeof measure>>;
  beforeAll(async () => {
    addSubject('bear', photos.slice(0, 2));
    addSubject('10_sks dog', photos.slice(2, 4));
    writeFileSync(
      join(subjects, 'prompts_and_classes.txt'),
      'Classes\nsubject_name,class\nbear,teddy bear\n',
    );
    first = await measure();
  }, 600_000);

  it('finetunes each and draws its 25 prompts, those of living things for a dog', () => {
    expect(
      first.result.subjects.map(({ subject, classNoun, images }) => [subject, classNoun, images]),
    ).toEqual([
      ['10_sks dog', 'dog', 25],
      ['bear', 'teddy bear', 25],
    ]);
    expect(stepsIn(first.events)).toBe(2);
    const prompts = (name: string): string[] =>
      readFileSync(join(out, name, 'prompts.txt'), 'utf8')
        .trimEnd()
        .split('\n');
    expect(prompts('10_sks dog')).toContain('a sks dog wearing a santa hat');
    expect(prompts('bear')).toContain('a sks teddy bear floating in an ocean of milk');
    expect(prompts('bear').at(-1)).toBe('a cube shaped sks teddy bear');
  });

  it('ends in the table with the mean over subjects, beside the published figures', () => {
    const { subjects: measured, table, csv } = first.result;
    const mean = measured.reduce((sum, { dino }) => sum + (dino ?? NaN), 0) / 2;
    const rows = readFileSync(table, 'utf8').trimEnd().split('\n');
    expect(rows[2]).toContain(`| mean of 2 subjects | ${mean.toFixed(3)} |`);
    expect(rows).toHaveLength(3 + 4 + 2);
    expect(readFileSync(csv, 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  it('tells how far all subjects are, not each anew', () => {
    expect(first.events.filter(({ type }) => type === 'plan')).toHaveLength(1);
    const drawn = first.events.flatMap((event) =>
      event.type === 'progress' && event.label === 'pictures' ? [[event.done, event.total]] : [],
    );
    expect(drawn.every(([, total]) => total === 50)).toBe(true);
    expect(drawn.map(([done = 0]) => done)).toEqual(drawn.map(([done = 0]) => done).sort((a, b) => a - b));
    expect(drawn.at(-1)).toEqual([50, 50]);
  });

  it('goes on where it was: what is there is not made again', async () => {
    const again = await measure();
    expect(again.result).toEqual(first.result);
    expect(again.events.filter(({ type }) => type === 'progress')).toEqual([]);

    rmSync(join(out, 'bear', 'scores.json'));
    rmSync(join(out, 'bear', 'pictures', '07.png'));
    const mended = await measure();
    expect(stepsIn(mended.events)).toBe(0);
    // One picture is drawn in a smaller batch than before.
    for (const [i, { mobileNet, ...others }] of mended.result.subjects.entries()) {
      const { mobileNet: before, ...same } = first.result.subjects[i] ?? {};
      expect(mobileNet ?? NaN).toBeCloseTo(before ?? NaN, 4);
      expect(Object.keys(others).sort()).toEqual(Object.keys(same).sort());
    }
  });
});

describe('subjects', () => {
  it('need a folder each, and a class each', () => {
    const folder = join(scratch, 'none');
    expect(() => subjectsIn(folder)).toThrow(/holds no folders/);
    mkdirSync(join(folder, 'thing'), { recursive: true });
    expect(() => subjectsIn(folder)).toThrow(/Write a line "thing,dog"/);
    writeFileSync(join(folder, 'classes.csv'), 'subject_name,class\r\nthing, vase \r\n');
    expect(subjectsIn(folder)).toEqual([{ name: 'thing', photos: join(folder, 'thing'), classNoun: 'vase' }]);
  });
});
