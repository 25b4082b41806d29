import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { draw, fixtures, makeGoodFiles, model, train } from './goodFiles.ts';
import { binary, json, png, recipeValues, safetensors, stored, text, type Mutation } from './mutations.ts';

const towers = path.join(fixtures, 'towers');

/** A file that is read, how it is changed, and the command that then reads it. */
export interface Input {
  readonly name: string;
  /** What is copied into the case's folder as `input`: a file or a folder. */
  readonly from: string;
  /** The file that is changed, below `from`; `from` itself when left out. */
  readonly file?: string;
  /** What `input` is called, where that matters. */
  readonly as?: string;
  readonly mutation: Mutation;
  /** It is read by what has been built: training goes to its end. */
  readonly whole?: true;
  /** The words of the command: `input` is the copy, `out` a place that is not there yet. */
  readonly words: (input: string, out: string) => readonly string[];
}

const onModel = (option: string) => (input: string, out: string) =>
  draw(out, '--model', model, option, input);
/** One good file of every kind that is read, written into `good`, and how each is read. */
export async function inputs(good: string): Promise<readonly Input[]> {
  await makeGoodFiles(good);
  const at = (name: string): string => path.join(good, name);
  const run = at('run');
  const state = readdirSync(run).find((name) => name.startsWith('state')) ?? '';
  const adapter = 'checkpoints/000002/unet/adapter_model.safetensors';
  const inModel = (file: string, mutation: Mutation): Input => ({
    name: `model: ${file}`,
    from: at('model'),
    ...{ file, mutation },
    words: (input, out) => draw(out, '--model', input),
  });
  const photo = (ending: string): Input => ({
    name: `photo.${ending}`,
    from: at(`photo.${ending}`),
    as: `in/photo.${ending}`,
    mutation: ending === 'png' ? png : binary,
    words: (input) => ['photos', path.dirname(input)],
  });
  const lora = (name: string, mutation: Mutation, file?: string): Input => ({
    name: `LoRA ${name}`,
    from: name.startsWith('/') ? name : path.join(fixtures, 'checkpoints', name),
    ...(file !== undefined && { file }),
    mutation,
    words: onModel('--lora'),
  });
  const inRun = (file: string, mutation: Mutation, words: Input['words'], what: string): Input => ({
    name: `run: ${file.replace(/\d{6}/, 'N')} (${what})`,
    from: run,
    ...{ file, mutation, words },
  });
  const resume: Input['words'] = (input) =>
    train(at('photos'), input, '--steps', '2', '--checkpoint-every', '1', '--resume');
  const exported: Input['words'] = (input, out) => [
    'export',
    '--run',
    input,
    '--format',
    'kohya',
    '--out',
    out,
  ];
  const judge =
    (option: string): Input['words'] =>
    (input) => [
      ...[
        'evaluate subject',
        '--photos',
        path.join(towers, 'photos'),
        '--images',
        path.join(towers, 'images'),
      ],
      ...[option, input, '--provider', 'cpu'],
      ...(option === '--clip' ? ['--prompts', path.join(towers, 'prompts.txt')] : []),
    ];
  const distill: Input['words'] = (input, out) => [
    ...['distill', '--teacher', model, '--student', model, '--data', input, '--steps', '1', '--batch', '1'],
    ...['--size', '32x32', '--out', out, '--provider', 'cpu'],
  ];
  const sets = path.join(fixtures, 'sets');
  const measure =
    (...more: string[]): Input['words'] =>
    (input) => ['evaluate set', '--images', input, ...more, '--provider', 'cpu'];
  return [
    inModel('unet/diffusion_pytorch_model.safetensors', safetensors),
    inModel('vae/diffusion_pytorch_model.safetensors', safetensors),
    inModel('text_encoder/model.safetensors', safetensors),
    ...['unet', 'vae', 'text_encoder'].map((part) => inModel(`${part}/config.json`, json)),
    inModel('scheduler/scheduler_config.json', json),
    inModel('model_index.json', json),
    inModel('likeness.json', json),
    inModel('tokenizer/vocab.json', json),
    inModel('tokenizer/merges.txt', text),
    inModel('tokenizer/tokenizer_config.json', json),
    inModel('tokenizer/special_tokens_map.json', json),
    {
      name: 'single file',
      from: at('single-file.safetensors'),
      mutation: safetensors,
      words: (input, out) => draw(out, '--model', input),
    },
    {
      name: 'single file of version 2',
      from: path.join(fixtures, 'checkpoints/tiny-sd2.safetensors'),
      mutation: safetensors,
      words: (input) => ['inspect', input],
    },
    {
      name: 'yaml beside a single file',
      from: at('single-file.yaml'),
      as: 'm.yaml',
      mutation: text,
      words: (input) => {
        cpSync(
          path.join(fixtures, 'checkpoints/tiny-sd2.safetensors'),
          input.replace('.yaml', '.safetensors'),
        );
        return ['inspect', input.replace('.yaml', '.safetensors')];
      },
    },
    ...['zip.bin', 'lightning.ckpt'].map((name): Input => ({
      name,
      from: path.join(fixtures, 'checkpoints', name),
      mutation: stored(binary),
      words: (input) => ['inspect', input],
    })),
    {
      name: 'legacy.bin',
      from: path.join(fixtures, 'checkpoints/legacy.bin'),
      mutation: binary,
      words: (input) => ['inspect', input],
    },
    {
      name: 'pickle that calls',
      from: path.join(fixtures, 'checkpoints/evil-system-2.pkl'),
      as: 'input.ckpt',
      mutation: binary,
      words: onModel('--lora'),
    },
    {
      name: 'CLIP, .bin',
      from: path.join(towers, 'clip-gelu'),
      file: 'pytorch_model.bin',
      mutation: stored(binary),
      words: judge('--clip'),
    },
    {
      name: 'CLIP, config',
      from: path.join(towers, 'clip-quick'),
      file: 'config.json',
      mutation: json,
      words: judge('--clip'),
    },
    {
      name: 'CLIP, preprocessor',
      from: path.join(towers, 'clip-quick'),
      file: 'preprocessor_config.json',
      mutation: json,
      words: judge('--clip'),
    },
    {
      name: 'DINO, config',
      from: path.join(towers, 'dino-new'),
      file: 'config.json',
      mutation: json,
      words: judge('--dino'),
    },
    {
      name: 'DINO, weights',
      from: path.join(towers, 'dino-new'),
      file: 'model.safetensors',
      mutation: safetensors,
      words: judge('--dino'),
    },
    lora('lora-diffusers.safetensors', safetensors),
    lora('peft', safetensors, 'unet/adapter_model.safetensors'),
    lora('peft', json, 'unet/adapter_config.json'),
    ...['loha', 'lokr-both', 'lokr-tucker', 'dora'].map((kind) =>
      lora(`lora-kinds/${kind}`, safetensors, 'adapter_model.safetensors'),
    ),
    lora('lora-kinds/dora', json, 'adapter_config.json'),
    { ...lora(at('kohya.safetensors'), safetensors), name: 'LoRA of kohya' },
    {
      ...lora(at('kohya.safetensors'), safetensors),
      name: 'LoRA to inspect',
      words: (input) => ['inspect', input],
    },
    ...['web-ui.pt', 'learned_embeds.safetensors'].map((name): Input => ({
      name: `embedding ${name}`,
      from: path.join(fixtures, 'checkpoints/embeddings', name),
      mutation: name.endsWith('pt') ? stored(binary) : safetensors,
      words: onModel('--embedding'),
    })),
    ...['png', 'jpg', 'webp', 'gif', 'tif', 'avif', 'heic', 'bmp'].map(photo),
    {
      name: 'mask',
      from: at('photos'),
      file: 'masks/a.png',
      mutation: png,
      words: (input, out) => train(input, out),
    },
    {
      name: 'caption',
      from: at('photos'),
      file: 'b.txt',
      mutation: text,
      words: (input, out) => train(input, out),
    },
    {
      name: 'metadata.csv to distill',
      from: at('data'),
      file: 'metadata.csv',
      mutation: text,
      words: distill,
    },
    { name: 'data.tar', from: at('data.tar'), as: 'data.tar', mutation: binary, words: distill },
    {
      name: 'metadata.csv to evaluate',
      from: at('data'),
      file: 'metadata.csv',
      mutation: text,
      words: (input) => [
        'evaluate set',
        '--images',
        input,
        '--prompts',
        path.join(input, 'metadata.csv'),
        '--reference',
        input,
        '--provider',
        'cpu',
      ],
    },
    {
      name: 'features, .npz',
      from: path.join(sets, 'a.npz'),
      mutation: stored(text),
      words: measure('--reference', path.join(sets, 'b.npz')),
    },
    {
      name: 'statistics, .npz',
      from: path.join(sets, 'b-statistics.npz'),
      mutation: binary,
      words: (input) => ['evaluate set', '--images', path.join(sets, 'a.npz'), '--reference', input],
    },
    {
      name: 'features, .npy',
      from: path.join(sets, 'few.npy'),
      mutation: text,
      words: measure('--reference', path.join(sets, 'b.npz')),
    },
    {
      name: 'Inception',
      from: path.join(sets, 'inception.safetensors'),
      mutation: safetensors,
      words: (input) => [
        'evaluate set',
        '--images',
        at('data'),
        '--reference',
        at('data'),
        '--inception',
        input,
        '--provider',
        'cpu',
      ],
    },
    inRun('run.json', json, resume, 'resume'),
    inRun('run.json', json, exported, 'export'),
    inRun('run.json', json, (input) => ['inspect', input], 'inspect'),
    inRun(
      'run.json',
      json,
      (input) => ['score', '--run', input, '--steps', '1', '--checkpoints', '9'],
      'score',
    ),
    { ...inRun(state, safetensors, resume, 'resume'), whole: true },
    inRun('log.jsonl', text, resume, 'resume'),
    inRun(adapter, safetensors, exported, 'export'),
    inRun(adapter, safetensors, onModel('--lora'), 'generate'),
    inRun('capsule.json', json, (input, out) => ['rerun', input, '--out', out, '--provider', 'cpu'], 'rerun'),
    ...[
      { name: 'recipe', mutation: png },
      { name: 'recipe, values', mutation: recipeValues },
    ].map((one): Input => ({
      ...{ ...one, from: at('drawn.png'), as: 'x.png' },
      words: (input, out) => [
        ...['generate', '--recipe', input, '--model', model, '--out', out, '--provider', 'cpu'],
      ],
    })),
    {
      name: 'prompts',
      from: at('prompts.txt'),
      mutation: text,
      words: (input, out) =>
        draw(out, '--model', model, '--prompts', input).filter(
          (word) => word !== '--prompt' && word !== 'a red brick',
        ),
    },
    {
      name: 'picture to draw over',
      from: at('photo.png'),
      as: 'x.png',
      mutation: png,
      words: onModel('--image'),
    },
  ];
}

/** Copies the input into `folder`, changes it as the seed says, and gives the command's words. */
export function caseOf(
  input: Input,
  folder: string,
  change: (bytes: Buffer) => Buffer,
  read: (file: string) => Buffer,
): { words: readonly string[]; file: string } {
  rmSync(folder, { recursive: true, force: true });
  const copy = path.join(folder, input.as ?? 'input');
  mkdirSync(path.dirname(copy), { recursive: true });
  cpSync(input.from, copy, { recursive: true });
  const file = input.file ? path.join(copy, input.file) : copy;
  const bytes = change(read(file));
  rmSync(file);
  writeFileSync(file, bytes);
  return { words: input.words(copy, path.join(folder, 'out')), file };
}
