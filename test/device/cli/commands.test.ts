import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-sd1');
let scratch = '';
let photos = '';

/** The commands on a model of 0.3 M parameters, as a user runs them. */
beforeAll(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), 'likeness mit Ümläuten '));
  photos = path.join(scratch, 'photos');
  mkdirSync(photos);
  for (const background of ['red', 'brown', 'orange'])
    await sharp({ create: { width: 90, height: 70, channels: 3, background } }).toFile(
      path.join(photos, `${background}.png`),
    );
});

const train = (out: string, ...more: string[]) => [
  ...['finetune', '--model', model, '--photos', photos, '--class', 'brick', '--out', out],
  ...['--no-prior', '--provider', 'cpu', '--seed', '5', '--rank', '2', ...more],
];

describe('a photo to pictures', () => {
  it('reports each step as JSON, and nothing else, on stdout', async () => {
    const out = path.join(scratch, 'run');
    const words = train(out, '--steps', '4', '--checkpoint-every', '2', '--sample-every', '4', '--json');
    const { status, stdout } = await likeness(words);
    expect(status).toBe(0);
    const events = jsonLines(stdout);
    const steps = events.filter(({ type }) => type === 'step');
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    for (const { loss, seconds } of steps)
      expect([typeof loss, typeof seconds]).toEqual(['number', 'number']);
    for (const { path: saved } of events.filter(({ type }) => type === 'checkpoint' || type === 'sample'))
      expect(existsSync(String(saved))).toBe(true);
    for (const { done, total, eta } of events.filter(({ type }) => type === 'progress'))
      expect([done, total, eta].every(Number.isFinite)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'done', run: out, steps: 4 });
  });

  it('makes the same pictures from the same seed, with a LoRA others', async () => {
    const pictures = async (name: string, ...more: string[]) => {
      const out = path.join(scratch, name);
      const words = [
        'generate',
        '--model',
        model,
        '--prompt',
        'a brick',
        '--out',
        out,
        '--seed',
        '9',
        '--steps',
        '3',
      ];
      const { status, stdout } = await likeness([
        ...words,
        '--count',
        '2',
        '--provider',
        'cpu',
        '--json',
        ...more,
      ]);
      expect(status).toBe(0);
      const done = jsonLines(stdout).at(-1);
      expect(done).toMatchObject({ type: 'done', images: [{ seed: 9, prompt: 'a brick' }, { seed: 10 }] });
      const images = done?.['images'] as { path: string }[];
      return Promise.all(images.map(({ path: file }) => sharp(file).raw().toBuffer()));
    };
    const plain = await pictures('plain');
    expect(await pictures('again')).toEqual(plain);
    expect(await pictures('tuned', '--lora', `${path.join(scratch, 'run')}:1`)).not.toEqual(plain);
  });
});

describe('Ctrl-C', () => {
  it('keeps the work, says so, and ends with 130', async () => {
    const out = path.join(scratch, 'cancelled');
    const words = train(out, '--steps', '100000', '--json');
    const { status, stdout, stderr } = await likeness(words, (child) => {
      child.stdout?.on('data', (text: string) => {
        if (text.includes('"step":3,')) child.kill('SIGINT');
      });
    });
    expect(status).toBe(130);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'error', code: 'cancelled' });
    expect(stderr).toContain('Cancelled');
    expect(readdirSync(path.join(out, 'checkpoints'))).toHaveLength(1);
  });

  it('is what a reader of stdout says by leaving', async () => {
    const out = path.join(scratch, 'unread');
    const { status, stderr } = await likeness(train(out, '--steps', '100000', '--json'), (child) => {
      child.stdout?.once('data', () => child.stdout?.destroy());
    });
    expect(status).toBe(130);
    expect(stderr).not.toContain('EPIPE');
  });
});

describe('inspect', () => {
  it('counts a model', async () => {
    const { status, stdout } = await likeness(['inspect', model, '--json']);
    expect(status).toBe(0);
    const [done] = jsonLines(stdout);
    expect(done).toMatchObject({
      type: 'done',
      kind: 'diffusers',
      problems: [],
      size: { width: 64, height: 64 },
    });
  });

  it.each([
    ['tokenizer/vocab.json', '{', 'cannot be used as a CLIP tokenizer'],
    [
      'scheduler/scheduler_config.json',
      '{"_class_name": "DDIMScheduler", "prediction_type": "guess"}',
      'trained in a way that is not known here ("prediction_type": "guess")',
    ],
  ])('tells of a broken %s', async (file, text, words) => {
    const broken = path.join(scratch, `without ${path.dirname(file)}`);
    cpSync(model, broken, { recursive: true });
    writeFileSync(path.join(broken, file), text);
    const { status, stdout, stderr } = await likeness(['inspect', broken]);
    expect(status).toBe(1);
    expect(stdout + stderr).toContain(words);
  });

  it('says what draws in place of a sampler that is not built in', async () => {
    const other = path.join(scratch, 'other sampler');
    cpSync(model, other, { recursive: true });
    const config = '{"_class_name": "MyScheduler", "beta_start": 0.00085, "beta_end": 0.012}';
    writeFileSync(path.join(other, 'scheduler/scheduler_config.json'), config);
    const { status, stdout } = await likeness(['inspect', other]);
    expect(status).toBe(0);
    expect(stdout).toContain('its sampler MyScheduler is not built in');
  });

  it('knows a LoRA and a run', async () => {
    const run = path.join(scratch, 'run');
    const [lora] = jsonLines(
      (await likeness(['inspect', path.join(run, 'checkpoints/000004'), '--json'])).stdout,
    );
    expect(lora).toMatchObject({ kind: 'lora', ranks: [2, 16], problems: [] });
    const [report] = jsonLines((await likeness(['inspect', run, '--json'])).stdout);
    expect(report).toMatchObject({ kind: 'run', method: 'lora', checkpoints: [2, 4] });
  });
});

describe('doctor', () => {
  it('finds the processor working', async () => {
    const { status, stdout } = await likeness(['doctor', '--json']);
    expect(status).toBe(0);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'done', providers: { cpu: { works: true } } });
  }, 120_000);
});
