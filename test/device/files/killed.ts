import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { attempt } from './attempt.ts';
import { fixtures } from './goodFiles.ts';

/** A command that kills.ts ends at random moments. */
export interface Killed {
  readonly name: string;
  readonly words: readonly string[];
  /** What continues it; the same words where left out. */
  readonly again?: readonly string[];
  /** Inputs that it changes: copied from, to (below the working folders). */
  readonly begin?: readonly (readonly [string, string])[];
  /** Differences that are no fault. */
  readonly mayDiffer?: RegExp;
}

const model = path.join(fixtures, 'models/tiny-bk');
/** With two layers in each block, of which one can go. */
const teacher = path.join(fixtures, 'models/tiny-sd1');
const drawn = ['--size', '32x32', '--provider', 'cpu', '--steps', '2'];

/** Photos, a run, a model in one file and pictures: what the commands below start from. */
export async function makeKillInputs(folder: string): Promise<void> {
  const photos = path.join(folder, 'photos');
  mkdirSync(path.join(photos, 'masks'), { recursive: true });
  for (const [i, background] of ['red', 'green', 'blue'].entries()) {
    const picture = sharp({ create: { width: 40 + 9 * i, height: 50, channels: 3, background } });
    const bytes = await picture
      .composite([{ input: { create: { width: 9, height: 12, channels: 3, background: 'white' } } }])
      .png()
      .toBuffer();
    writeFileSync(path.join(photos, `${i}.png`), bytes);
  }
  await sharp({ create: { width: 40, height: 50, channels: 3, background: 'white' } }).toFile(
    path.join(photos, 'masks/0.png'),
  );
  for (const subject of ['subjects/dog', 'subjects/mug']) {
    mkdirSync(path.join(folder, subject), { recursive: true });
    for (const name of ['0.png', '1.png'])
      copyFileSync(path.join(photos, name), path.join(folder, subject, name));
  }
  writeFileSync(
    path.join(folder, 'subjects/prompts_and_classes.txt'),
    'Classes\n\nsubject_name,class\ndog,dog\nmug,cup\n\nPrompts\n',
  );
  writeFileSync(
    path.join(folder, 'set.csv'),
    'file_name,text\na.png,a dog\nb.png,a cat\nc.png,"a bird, red"\n',
  );
  process.env['LIKENESS_CACHE'] = path.join(folder, 'cache');
  await attempt(
    finetune(folder, path.join(folder, 'run'), '--no-prior', '--steps', '4', '--checkpoint-every', '2'),
  );
  cpSync(path.join(photos), path.join(folder, 'data'), { recursive: true });
  writeFileSync(path.join(folder, 'data/metadata.csv'), 'file_name,text\n0.png,a\n1.png,b\n2.png,c\n');
  await attempt(['compress', '--model', teacher, '--to', 'bk-tiny', '--out', path.join(folder, 'student')]);
}

const finetune = (inputs: string, out: string, ...more: string[]): string[] => [
  ...[
    'finetune',
    '--photos',
    path.join(inputs, 'photos'),
    '--class',
    'brick',
    '--model',
    model,
    '--out',
    out,
  ],
  ...['--size', '32x32', '--provider', 'cpu', '--no-scenes', ...more],
];

/** The commands, working in the folder `here`. */
export function killed(inputs: string, here: string): Killed[] {
  const run = path.join(inputs, 'run');
  const own = (name: string): string => path.join(here, name);
  const generate = (...more: string[]): string[] => [
    ...['generate', '--model', model, '--out', own('pictures'), '--seed', '7', ...drawn, ...more],
  ];
  // The list of finished pictures goes last, when the end has been told.
  const mayDiffer = /^left: here\/pictures\/\.pictures\.\d+\.tmp/;
  const trained = (name: string, ...more: string[]): Killed => {
    const words = finetune(
      inputs,
      own('run'),
      '--steps',
      '4',
      '--checkpoint-every',
      '1',
      '--sample-every',
      '2',
      ...more,
    );
    return { name, words, again: [...words, '--resume'] };
  };
  const exported = (format: string, out: string, ...more: string[]): Killed => ({
    name: `export ${format}`,
    words: ['export', '--run', run, '--format', format, '--out', own(out), ...more],
  });
  return [
    trained(
      'finetune lora',
      '--class-images',
      '3',
      '--class-steps',
      '2',
      '--rank',
      '2',
      '--warmup',
      '2',
      '--flip',
    ),
    trained('finetune full', '--method', 'full', '--class-images', '2', '--class-steps', '2', '--ema', '0.9'),
    trained(
      'finetune prodigy',
      '--no-prior',
      '--optimizer',
      'prodigy',
      '--method',
      'lokr',
      '--buckets',
      '--accumulate',
      '2',
    ),
    trained(
      'finetune adamw8bit',
      '--no-prior',
      '--optimizer',
      'adamw8bit',
      '--rank',
      '2',
      '--crop',
      'random',
    ),
    {
      ...trained(
        'class pictures',
        '--class-images',
        '9',
        '--class-steps',
        '4',
        '--rank',
        '1',
        '--steps',
        '1',
      ),
    },
    trained('finetune team', '--no-prior', '--rank', '1', '--workers', '2'),
    { name: 'download', words: ['download', 'test/tiny'] },
    {
      name: 'generate',
      mayDiffer,
      words: generate('--prompt', 'a dog', 'a cat', '--count', '4', '--batch', '2'),
    },
    {
      name: 'generate set',
      mayDiffer,
      words: generate('--prompts', path.join(inputs, 'set.csv'), '--count', '2', '--batch', '2', '--resume'),
    },
    {
      name: 'generate beside',
      mayDiffer,
      words: generate(
        '--prompt',
        'a dog',
        '--count',
        '3',
        '--batch',
        '2',
        '--grid',
        own('grid.png'),
        '--save-latents',
        own('l.safetensors'),
      ),
    },
    {
      name: 'generate weighted',
      mayDiffer,
      words: generate(
        ...['--prompt', 'a dog', 'a (very:1.2) red '.repeat(30), 'a cat', '--count', '2', '--batch', '2'],
        ...['--weights', 'a1111', '--save-latents', own('l.safetensors')],
      ),
    },
    {
      name: 'generate best',
      mayDiffer,
      words: generate('--prompt', 'a dog', '--count', '2', '--best-of', '2', '--lora', run),
    },
    {
      name: 'score',
      begin: [['run', 'here/run']],
      words: ['score', '--run', own('run'), '--steps', '2', '--provider', 'cpu'],
    },
    {
      name: 'evaluate dreambooth',
      words: [
        ...['evaluate', 'dreambooth', '--subjects', path.join(inputs, 'subjects'), '--out', own('protocol')],
        ...[
          '--model',
          model,
          '--steps',
          '2',
          '--count',
          '1',
          '--draw-steps',
          '1',
          '--no-prior',
          '--rank',
          '1',
        ],
        ...['--size', '32x32', '--provider', 'cpu'],
      ],
    },
    exported('diffusers', 'dog'),
    exported('peft', 'dog'),
    exported('kohya', 'dog.safetensors'),
    exported('single-file', 'dog.safetensors', '--dtype', 'f16'),
    exported('onnx', 'dog'),
    exported('coreml', 'dog'),
    { name: 'compress', words: ['compress', '--model', teacher, '--to', 'bk-tiny', '--out', own('student')] },
    {
      name: 'distill',
      words: [
        ...[
          'distill',
          '--teacher',
          teacher,
          '--student',
          path.join(inputs, 'student'),
          '--data',
          path.join(inputs, 'data'),
        ],
        ...[
          '--steps',
          '4',
          '--checkpoint-every',
          '2',
          '--size',
          '32x32',
          '--provider',
          'cpu',
          '--out',
          own('run'),
          '--resume',
        ],
      ],
    },
  ];
}
