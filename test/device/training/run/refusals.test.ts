import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AskedFinetune } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { MessageCode } from '../../../../src-shared/messages/index.ts';
import { readSafetensors } from '../../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { f32, type HostTensor } from '../../../../src-main/engine/tensor/tensor.ts';
import { finetune } from '../../../../src-main/features/training/finetune.ts';
import type { FinetuneRequest } from '../../../../src-main/features/training/request.ts';

const golden = resolve('test/golden/fixtures');
const model = join(golden, 'models', 'tiny-bk');
const recorded = join(golden, 'training', 'lora-epsilon-prior', 'replay.safetensors');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-refusals-'));
const photos = join(scratch, 'photos');
let runs = 0;
const nowhere = (): string => join(scratch, `run-${runs++}`);

beforeAll(async () => {
  process.env['LIKENESS_CACHE'] = join(scratch, 'cache');
  mkdirSync(photos);
  await sharp({ create: { width: 9, height: 7, channels: 3, background: 'red' } }).toFile(
    join(photos, 'a.png'),
  );
});

function train(settings: AskedFinetune, request: Partial<FinetuneRequest> = {}) {
  const small: AskedFinetune = { steps: 2, provider: 'cpu', lora: { rank: 1 }, textLora: { rank: 1 } };
  return finetune(
    { out: nowhere(), resume: false, ...request, settings: { ...small, model, ...settings } },
    { report: () => undefined, signal: new AbortController().signal },
    'test',
  );
}

/** Expects an error for people, whose sentence says what is at fault. */
async function refused(attempt: Promise<unknown>, code: MessageCode, ...words: string[]): Promise<void> {
  const error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'LikenessError', code });
  for (const word of words) expect((error as Error).message).toContain(word);
}

const withPhotos: AskedFinetune = { photos, classNoun: 'brick', prior: false, size: 32 };

describe('settings', () => {
  it.each([
    ['steps', { steps: 0 }],
    ['batch', { batch: 0 }],
    ['batch', { batch: 1.5 }],
    ['accumulate', { accumulate: -1 }],
    ['learningRate', { learningRate: NaN }],
    ['lora.rank', { lora: { rank: 0 } }],
    ['lora.targets', { lora: { targets: [] } }],
    ['checkpointEvery', { checkpointEvery: 0 }],
  ] as const)('%s out of range is refused by name: %j', (name, settings) =>
    refused(train({ ...withPhotos, ...settings }), 'training.badSettings', name),
  );

  it('without photos or a class noun are refused', async () => {
    await refused(train({ classNoun: 'brick' }), 'training.noPhotos', '--photos');
    await refused(train({ photos }), 'training.noClass', '--class');
  });

  it('a size that the VAE cannot halve is refused', () =>
    refused(train({ ...withPhotos, size: 36 }), 'size.unusable', '36×36', '8'));

  it('photos smaller than the size, and a rank above the layer’s, are trained with', async () => {
    const settings = {
      ...withPhotos,
      steps: 1,
      lora: { rank: 64, targets: ['to_q'] },
      trainTextEncoder: false,
    };
    const { loss } = await train({ ...settings, sampleEvery: 9 });
    expect(loss).toBeGreaterThan(0);
  });
});

/** The recorded batches with one tensor changed; `undefined` leaves it out. */
function replayWith(changes: Record<string, HostTensor | undefined>, metadata = {}): string {
  const { tensors } = readSafetensors(recorded);
  const all = {
    ...Object.fromEntries([...tensors].map(([key, entry]) => [key, readTensor(entry)])),
    ...changes,
  };
  const file = join(scratch, `replay-${runs++}.safetensors`);
  writeSafetensors(
    file,
    Object.entries(all).flatMap(([name, tensor]) => (tensor ? [{ name, tensor }] : [])),
    metadata,
  );
  return file;
}

const integers = (shape: number[], value: bigint): HostTensor<'i64'> => ({
  dtype: 'i64',
  shape,
  data: new BigInt64Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

describe('recorded batches', () => {
  const odd = {
    ...{ latents: f32([2, 1, 4, 8, 8]), noise: f32([2, 1, 4, 8, 8]) },
    ...{ timesteps: integers([2, 1], 0n), input_ids: integers([2, 1, 77], 0n) },
  };
  it.each([
    ['no tensor "noise"', { noise: undefined }, {}],
    ['"latents" must be f32 with 5 axes', { latents: f32([10, 2, 4, 8]) }, {}],
    ['"timesteps" must be i64', { timesteps: f32([10, 2]) }, {}],
    ['"noise" is [10,2,4,8,7], expected [10,2,4,8,8]', { noise: f32([10, 2, 4, 8, 7]) }, {}],
    ['"input_ids" is [10,2,76], expected [10,2,77]', { input_ids: integers([10, 2, 76], 0n) }, {}],
    ['holds no batch', { latents: f32([10, 2, 4, 0, 8]), noise: f32([10, 2, 4, 0, 8]) }, {}],
    ['3 channels', { latents: f32([10, 2, 3, 8, 8]), noise: f32([10, 2, 3, 8, 8]) }, {}],
    ['two halves', odd, { prior: 'true' }],
    ['row 0 has a timestep outside 0…999', { timesteps: integers([10, 2], 1000n) }, {}],
    ['row 0 has a token outside 0…573', { input_ids: integers([10, 2, 77], 574n) }, {}],
    ['no numbers', { noise: f32([10, 2, 4, 8, 8], new Float32Array(5120).fill(NaN)) }, {}],
  ] as const)('are refused: %s', (words, changes, metadata) => {
    const replay = replayWith(changes, metadata);
    return refused(train({ replay }), 'replay.invalid', replay, words);
  });

  it('that are too few for the steps are refused', () =>
    refused(train({ replay: recorded, steps: 6, accumulate: 2 }), 'replay.tooShort', '10', '12'));

  it('of a size that halves to odd ones are trained with', async () => {
    const shape = [10, 2, 4, 5, 7];
    const data = (factor: number) => Float32Array.from({ length: 2800 }, (_, i) => Math.sin(factor * i));
    const changes = { latents: f32(shape, data(1)), noise: f32(shape, data(2)) };
    expect((await train({ replay: replayWith(changes), steps: 1 })).loss).toBeGreaterThan(0);
  });
});

/** A copy of the model whose file of `part` went through `change`. */
function changedModel(part: string, change: (tensors: Record<string, HostTensor>) => void): string {
  const folder = join(scratch, `model-${runs++}`);
  cpSync(model, folder, { recursive: true });
  const file = join(
    folder,
    part,
    part === 'text_encoder' ? 'model.safetensors' : 'diffusion_pytorch_model.safetensors',
  );
  chmodSync(file, 0o644);
  const { tensors } = readSafetensors(file);
  const all = Object.fromEntries([...tensors].map(([key, entry]) => [key, readTensor(entry)]));
  change(all);
  writeSafetensors(
    file,
    Object.entries(all).map(([name, tensor]) => ({ name, tensor })),
  );
  return folder;
}

describe('base models', () => {
  const spoil = (name: string) => (tensors: Record<string, HostTensor>) => {
    (tensors[name]?.data as Float32Array)[3] = NaN;
  };
  it.each([
    ['unet', 'conv_in.weight'],
    ['text_encoder', 'text_model.final_layer_norm.weight'],
  ])('with NaN in the %s are refused at the first step, by tensor', (part, name) => {
    const bad = changedModel(part, spoil(name));
    return refused(train({ model: bad, replay: recorded }), 'tensor.notNumbers', join(bad, part), name);
  });

  it('with NaN in the VAE are refused while photos are read', () => {
    const bad = changedModel('vae', spoil('encoder.conv_in.weight'));
    return refused(train({ ...withPhotos, model: bad }), 'tensor.notNumbers', 'encoder.conv_in.weight');
  });

  it('whose config asks for other weights are refused', () => {
    const bad = changedModel('unet', () => undefined);
    const config = join(bad, 'unet', 'config.json');
    const text = readFileSync(config, 'utf8').replace(/"layers_per_block": 1/, '"layers_per_block": 2');
    rmSync(config);
    writeFileSync(config, text);
    return refused(train({ model: bad, replay: recorded }), 'tensor.missing', 'resnets.1');
  });
});

describe('run folders', () => {
  it.each([
    ['photos', { photos: join(scratch, 'broken') }, 'photos.broken'],
    ['targets', { lora: { targets: ['nowhere'] } }, 'lora.target'],
  ] as const)(
    'a new run that is refused for its %s leaves nothing, and the same place can be asked for again',
    async (_, wrong, code) => {
      const broken = join(scratch, 'broken');
      mkdirSync(broken, { recursive: true });
      writeFileSync(join(broken, 'b.png'), readFileSync(join(photos, 'a.png')).subarray(0, 60));
      const out = nowhere();
      await refused(train({ ...withPhotos, ...wrong }, { out }), code);
      expect(existsSync(out)).toBe(false);
      expect(await train({ ...withPhotos, steps: 1 }, { out })).toMatchObject({ steps: 1 });
      // A run that is there stays, whatever is asked for in its place.
      await refused(train({ ...withPhotos, steps: 2, ...wrong }, { out, resume: true }), 'run.otherSetting');
      expect(existsSync(join(out, 'run.json'))).toBe(true);
    },
  );

  const resume = { out: join(scratch, 'whole'), resume: true };
  const file = (name: string): string => join(resume.out, name);

  it('that hold a run are not overwritten', async () => {
    const settings = { replay: recorded, steps: 2, checkpointEvery: 1 };
    await train(settings, { out: resume.out });
    await refused(train(settings, { out: resume.out }), 'run.exists', resume.out);
  });

  it('go on by their own settings: another one is refused by its name', async () => {
    await refused(
      train({ learningRate: 0.5 }, resume),
      'run.otherSetting',
      resume.out,
      '"learningRate"',
      '0.5',
    );
    await refused(train({ lora: { rank: 3 } }, resume), 'run.otherSetting', '"lora.rank" at 1, not 3');
    await refused(train({ prior: false }, resume), 'run.otherSetting', '"prior"');
    await refused(train({ photos }, resume), 'run.otherSetting', '"photos"');
    const others = { replay: recorded, checkpointEvery: 2, samplePrompt: 'a dog' };
    expect((await train(others, resume)).steps).toBe(2);
  });

  it('with a state that was cut or is of other settings are refused by the file', async () => {
    const [name] = readdirSync(resume.out).filter((entry) => entry.startsWith('state-'));
    const state = file(name as string);
    const whole = readFileSync(state);
    truncateSync(state, whole.length - 100);
    await refused(train({}, resume), 'run.stateDamaged', state);
    truncateSync(state, 20);
    await refused(train({}, resume), 'run.stateDamaged', state);
    writeSafetensors(state, [{ name: 'values', tensor: f32([3]) }], { step: '2' });
    await refused(train({}, resume), 'run.stateDamaged', state, '"values"');
    writeFileSync(state, whole);
    expect((await train({ steps: 3 }, resume)).steps).toBe(3);
  });

  it('with a damaged or lost run.json are refused by the file', async () => {
    const json = readFileSync(file('run.json'), 'utf8');
    for (const text of [
      '{"kind":',
      'null',
      '{"kind":"finetune"}',
      json.replace('"steps": 2', '"steps": -2'),
    ]) {
      writeFileSync(file('run.json'), text);
      await refused(train({}, resume), 'run.damaged', file('run.json'));
    }
    rmSync(file('run.json'));
    await refused(train({ replay: recorded }, resume), 'run.damaged', file('run.json'));
  });

  it('that are not there do not continue, unless a new run is described', () =>
    refused(train({}, { out: nowhere(), resume: true }), 'run.missing'));

  it('that cannot be written are refused', async () => {
    const blocked = join(scratch, 'a file');
    writeFileSync(blocked, '');
    await refused(train({ replay: recorded }, { out: blocked }), 'file.unwritable', blocked);
    await refused(train({ replay: recorded }, { out: join(blocked, 'run') }), 'file.unwritable', blocked);
  });
});
