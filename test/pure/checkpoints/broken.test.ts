import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readWeightFile } from '../../../src-main/engine/checkpoints/weightFiles.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { safetensors, zip } from './brokenFiles.ts';
import { deep, expectRefused, outcome } from './refused.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

/**
 * Broken inputs at the readers: each must end in a LikenessError, soon, and without taking memory that the file's size
 * doesn't justify.
 */
const fixtures = join(import.meta.dirname, '../../golden/fixtures/checkpoints');
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-broken-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function put(name: string, bytes: Uint8Array | string): string {
  const file = join(scratch, name);
  writeFileSync(file, bytes);
  return file;
}

/** mulberry32: small, seeded, good enough to pick places. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const w = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] };
const v = { dtype: 'F32', shape: [2], data_offsets: [16, 24] };

const brokenSafetensors: Record<string, Uint8Array> = {
  empty: Buffer.alloc(0),
  'seven bytes': Buffer.alloc(7),
  'length zero': Buffer.alloc(64),
  'length 2^64−1': Buffer.alloc(64, 0xff),
  'length beyond the file': safetensors({ w }, 16, 1e6),
  'length over 100 MB': safetensors({ w }, 16, 200e6),
  'length one short': safetensors({ w }, 16, -1),
  'a web page': Buffer.from('<!DOCTYPE html><html><body>404</body></html>'),
  'a Git LFS pointer': Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n'),
  'not JSON': safetensors('{"w": '),
  'a list': safetensors('[1, 2]'),
  null: safetensors('null'),
  'no tensors': safetensors('{}'),
  'only metadata': safetensors({ __metadata__: { a: 'b' } }, 4),
  'not UTF-8': safetensors(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
  'a byte order mark': safetensors(`\ufeff{"w":${JSON.stringify(w)}}`, 16),
  'deep unclosed': safetensors('['.repeat(200_000)),
  'deep dtype': safetensors(`{"w":{"dtype":${deep(100_000)},"shape":[],"data_offsets":[0,0]}}`),
  'deep shape': safetensors(`{"w":{"dtype":"F32","shape":${deep(100_000)},"data_offsets":[0,0]}}`),
  'metadata of numbers': safetensors({ __metadata__: { a: 1 }, w }, 16),
  'metadata a list': safetensors({ __metadata__: [1], w }, 16),
  'metadata null': safetensors({ __metadata__: null, w }, 16),
  'entry null': safetensors({ w: null }, 16),
  'entry a number': safetensors({ w: 5 }, 16),
  'the same name twice': safetensors(`{"w":${JSON.stringify(w)},"w":${JSON.stringify(w)}}`, 16),
  'type unknown': safetensors({ w: { ...w, dtype: 'F31' } }, 16),
  'type of Object.prototype': safetensors({ w: { ...w, dtype: 'toString' } }, 16),
  'type missing': safetensors({ w: { shape: [4], data_offsets: [0, 16] } }, 16),
  'type lies': safetensors({ w: { ...w, dtype: 'F64' } }, 16),
  'shape missing': safetensors({ w: { dtype: 'F32', data_offsets: [0, 16] } }, 16),
  'shape lies': safetensors({ w: { ...w, shape: [7] } }, 16),
  'shape negative': safetensors({ w: { ...w, shape: [-2, -2] } }, 16),
  'shape of fractions': safetensors({ w: { ...w, shape: [1.5, 2] } }, 16),
  'shape of words': safetensors({ w: { ...w, shape: ['2', '2'] } }, 16),
  'shape absurd': safetensors({ w: { ...w, shape: [2 ** 40, 2 ** 40] } }, 16),
  'shape past 2^53': safetensors(
    `{"w":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,16]}}`,
    16,
  ),
  'shape 0 × absurd': safetensors({ w: { ...w, shape: [0, 2 ** 50] } }, 16),
  'shape of 1000 axes': safetensors({ w: { ...w, shape: new Array(1000).fill(1) } }, 16),
  'offsets missing': safetensors({ w: { dtype: 'F32', shape: [4] } }, 16),
  'offsets one': safetensors({ w: { ...w, data_offsets: [0] } }, 16),
  'offsets three': safetensors({ w: { ...w, data_offsets: [0, 16, 16] } }, 16),
  'offsets reversed': safetensors({ w: { ...w, data_offsets: [16, 0] } }, 16),
  'offsets negative': safetensors({ w: { ...w, data_offsets: [-16, 0] } }, 16),
  'offsets past the file': safetensors({ w: { ...w, data_offsets: [2 ** 40, 2 ** 40 + 16] } }, 16),
  'offsets of words': safetensors({ w: { ...w, data_offsets: ['0', '16'] } }, 16),
  'a terabyte': safetensors({ w: { dtype: 'F32', shape: [2 ** 38], data_offsets: [0, 2 ** 40] } }, 16),
  overlap: safetensors({ w, v: { ...v, data_offsets: [8, 16] } }, 16),
  'the same bytes twice': safetensors({ w, v: { ...w } }, 16),
  'a hole at the start': safetensors({ w: { ...w, data_offsets: [4, 20] } }, 20),
  'a hole in the middle': safetensors({ w, v: { ...v, data_offsets: [20, 28] } }, 28),
  'bytes left over': safetensors({ w, v }, 30),
  'a byte missing': safetensors({ w, v }, 23),
};

describe('broken safetensors', () => {
  it.each(Object.keys(brokenSafetensors))('%s', (name) => {
    const file = put('broken.safetensors', brokenSafetensors[name] as Uint8Array);
    expectRefused(() => readWeightFile(file));
    expectRefused(() => openModel(file));
  });

  const whole = readFileSync(join(fixtures, 'tensors.safetensors'));
  it.each(Array.from({ length: 40 }, (_, seed) => seed))('cut at a random place, seed %d', (seed) => {
    const file = put('cut.safetensors', whole.subarray(0, randomFrom(seed)(whole.length)));
    expectRefused(() => readWeightFile(file));
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))('noise, seed %d', (seed) => {
    const random = randomFrom(1000 + seed);
    const file = put(
      'noise.safetensors',
      Uint8Array.from({ length: random(5000) }, () => random(256)),
    );
    expectRefused(() => readWeightFile(file));
  });
});

const pickles: Record<string, string> = {
  'os.system by GLOBAL': "cposix\nsystem\n(S'x'\ntR.",
  eval: 'c__builtin__\neval\n\x85R.',
  getattr: 'c__builtin__\ngetattr\n.',
  'os.system by INST': '(X\x04\0\0\0trueiposix\nsystem\n.',
  OBJ: '(cposix\nsystem\no.',
  STACK_GLOBAL: '\x80\x04\x8c\x05posix\x8c\x06system\x93.',
  'STACK_GLOBAL of numbers': '\x80\x04K\x01K\x02\x93.',
  'NEWOBJ of subprocess.Popen': '\x80\x02csubprocess\nPopen\n)\x81.',
  NEWOBJ_EX: '\x80\x04N)}\x92.',
  'an extension': '\x80\x02\x82\x01.',
  'torch.load': 'ctorch\nload\n.',
  'torch.hub.load': 'ctorch.hub\nload\n.',
  'a known module with an unknown name': 'ctorch._utils\nimport_module\n.',
  'calling what is no name': '\x80\x02K\x01)R.',
  'a bare list': '\x80\x02].',
  'a dict without tensors': '\x80\x02}.',
  unfinished: '\x80\x02}q\0(',
  'an empty stack': '.',
  'popping nothing': '0.',
  'no mark': 't.',
  'recalling nothing': 'h\x07.',
  'an unknown opcode': '\x80\x02\xfe.',
  'a string past the end': 'X\xff\xff\xff\x7fabc.',
  'a number of 2 GB': '\x8b\xff\xff\xff\x7f.',
  'a tensor from nothing': 'ctorch._utils\n_rebuild_tensor_v2\n)R.',
  'a storage that is none': '\x80\x02K\x05Q.',
  'tuples without end': '('.repeat(100_000) + '.',
  'a list of itself without end': '\x80\x02]q\0' + 'h\0a'.repeat(50_000),
};

describe('broken torch files', () => {
  it.each(Object.keys(pickles))('pickle: %s', (name) => {
    const pickle = Buffer.from(pickles[name] as string, 'latin1');
    const zipped = put(
      'model.ckpt',
      zip({ 'archive/data.pkl': pickle, 'archive/version': Buffer.from('3\n') }),
    );
    // A dict without tensors is whole as a file; what it is not is a model.
    expectRefused(() => openModel(zipped));
    expectRefused(() => openModel(put('legacy.ckpt', Buffer.concat([pickle, Buffer.alloc(16)]))));
  });

  it.each(
    ['zip.bin', 'legacy.bin'].flatMap((name) =>
      Array.from({ length: 25 }, (_, seed) => [name, seed] as const),
    ),
  )('%s cut at a random place, seed %d', (name, seed) => {
    const whole = readFileSync(join(fixtures, name));
    const file = put('cut.bin', whole.subarray(0, randomFrom(seed)(whole.length)));
    expectRefused(() => readWeightFile(file));
  });

  it.each([
    ['no pickle', zip({ 'archive/version': Buffer.from('3\n') })],
    ['a big-endian one', zip({ 'a/data.pkl': Buffer.from('}.'), 'a/byteorder': Buffer.from('big') })],
    ['a compressed one', zip({ 'a/data.pkl': Buffer.from('}.') }, { method: 8 })],
    ['an encrypted one', zip({ 'a/data.pkl': Buffer.from('}.') }, { flags: 1 })],
    ['one whose pickle lies past its end', zip({ 'a/data.pkl': Buffer.from('}.') }, { sizeLie: 1e9 })],
    ['one whose headers lie elsewhere', zip({ 'a/data.pkl': Buffer.from('}.') }, { offsetLie: 1e6 })],
  ])('zip: %s', (_, bytes) => {
    expectRefused(() => openModel(put('zip.ckpt', bytes)));
  });
});

/** A torch zip with one f32 tensor `w` of `size` elements at `offset` in a storage that claims `elements` and has 4. */
function torchZip(offset: number, size: number, stride: number, elements: number, zip64 = false): Uint8Array {
  const pickle =
    '\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000' +
    `X\x03\0\0\0cpuK${String.fromCharCode(elements)}tQK${String.fromCharCode(offset)}K${String.fromCharCode(size)}\x85` +
    `K${String.fromCharCode(stride)}\x85\x89}tRs.`;
  return zip(
    { 'archive/data.pkl': Buffer.from(pickle, 'latin1'), 'archive/data/0': Buffer.alloc(16) },
    { zip64 },
  );
}

describe('a torch tensor against its storage', () => {
  it('inside it is read', () => {
    const { tensors } = readWeightFile(put('inside.bin', torchZip(1, 3, 1, 4)));
    expect(readTensor(tensors.get('w') as FileTensor).shape).toEqual([3]);
    const wide = readWeightFile(put('wide.bin', torchZip(1, 3, 1, 4, true)));
    expect(wide.tensors.get('w')).toMatchObject({ ...tensors.get('w'), file: join(scratch, 'wide.bin') });
  });

  it.each([
    ['past its end', torchZip(2, 3, 1, 4)],
    ['past the bytes there are', torchZip(0, 4, 1, 5)],
    ['larger than all', torchZip(0, 255, 1, 4)],
  ])('%s it is refused', (_, bytes) => {
    expectRefused(() => readWeightFile(put('outside.bin', bytes)));
  });

  it('with a stride it is named, not read', () => {
    const { tensors, otherTypes } = readWeightFile(put('strided.bin', torchZip(0, 2, 2, 4)));
    expect([tensors.size, [...otherTypes.keys()]]).toEqual([0, ['w']]);
  });
});

describe('one flipped byte', () => {
  // Some flips are harmless (a digit of a value, a letter of a name): then what is read must lie inside the file.
  it.each(['tensors.safetensors', 'zip.bin', 'legacy.bin'])(
    'in %s, 300 places: a refusal or tensors inside the file',
    (name) => {
      const whole = readFileSync(join(fixtures, name));
      const random = randomFrom(7);
      for (let i = 0; i < 300; i++) {
        const bytes = Buffer.from(whole);
        const place = random(bytes.length);
        bytes[place] = (bytes[place] as number) ^ (1 << random(8));
        const file = put(`flip-${name}`, bytes);
        const error = outcome(() => {
          for (const entry of readWeightFile(file).tensors.values()) {
            expect(entry.offset + entry.byteLength).toBeLessThanOrEqual(bytes.length);
            readTensor(entry);
          }
        });
        if (error !== undefined) expect(error).toBeInstanceOf(LikenessError);
      }
    },
  );
});

describe('broken LoRA', () => {
  const A = { dtype: 'F32', shape: [2, 4], data_offsets: [0, 32] };
  const B = { dtype: 'F32', shape: [4, 2], data_offsets: [32, 64] };
  const stem = 'lora_unet_mid_block_attentions_0_proj_in';
  const files: Record<string, Uint8Array> = {
    'without up': safetensors({ [`${stem}.lora_down.weight`]: A }, 32),
    'without down': safetensors({ [`${stem}.lora_up.weight`]: A }, 32),
    'of two ranks': safetensors(
      { [`${stem}.lora_down.weight`]: A, [`${stem}.lora_up.weight`]: { ...B, shape: [2, 4] } },
      64,
    ),
    'of vectors': safetensors(
      {
        [`${stem}.lora_down.weight`]: { ...A, shape: [8] },
        [`${stem}.lora_up.weight`]: { ...B, shape: [8] },
      },
      64,
    ),
    'of NaN': safetensors({ [`${stem}.lora_down.weight`]: A, [`${stem}.lora_up.weight`]: B }, 64, 0, 0xff),
    'of integers': safetensors(
      { [`${stem}.lora_down.weight`]: { ...A, dtype: 'I32' }, [`${stem}.lora_up.weight`]: B },
      64,
    ),
    'that is a LoHa': safetensors({ [`${stem}.hada_w1_a`]: A, [`${stem}.hada_w1_b`]: B }, 64),
    'for SDXL': safetensors({ 'lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight': A }, 32),
    'that is no LoRA': safetensors({ weight: A }, 32),
    'with metadata that are no JSON': safetensors(
      {
        __metadata__: { lora_adapter_metadata: '{' },
        [`${stem}.lora_down.weight`]: A,
        [`${stem}.lora_up.weight`]: B,
      },
      64,
    ),
  };
  it.each(Object.keys(files))('%s', (name) => {
    expectRefused(() => readLora(put('lora.safetensors', files[name] as Uint8Array)));
  });

  it.each([
    [
      'of no rank',
      { ...A, shape: [0, 4], data_offsets: [0, 0] },
      { ...B, data_offsets: [0, 32] },
      '0×4 and 4×2',
    ],
    ['on their sides', { ...A, shape: [4, 2] }, B, '4×2 and 4×2'],
  ])('matrices %s are told by their sizes', (_, down, up, sizes) => {
    const bytes = Math.max(down.data_offsets[1] ?? 0, up.data_offsets[1] ?? 0);
    const tensors = { [`${stem}.lora_down.weight`]: down, [`${stem}.lora_up.weight`]: up };
    const refused = outcome(() => readLora(put('lora.safetensors', safetensors(tensors, bytes))));
    expect(refused).toMatchObject({ code: 'lora.unfit' });
    expect(String(refused)).toContain(`don't fit each other (${sizes})`);
  });

  it.each([
    undefined,
    '{',
    '[]x',
    '{"peft_type":"PROMPT_TUNING"}',
    '{"peft_type":"LORA","r":0,"lora_alpha":1}',
    '{"peft_type":"LORA","r":2,"lora_alpha":"big"}',
    '{"peft_type":"LORA","r":2,"use_dora":true}',
    '{"peft_type":"LORA","r":2,"alora_invocation_tokens":[320]}',
    '{"peft_type":"LORA","r":2,"kasa_config":{}}',
    '{"peft_type":"LORA","r":2,"alpha_pattern":{"(a+)+$":1}}',
    '{"peft_type":"LORA","r":2,"alpha_pattern":{"to_q":"x"}}',
  ])('PEFT folder with the config %s', (config) => {
    const folder = mkdtempSync(join(scratch, 'peft-'));
    const name = 'base_model.model.mid_block.attentions.0.proj_in.lora_';
    writeFileSync(
      join(folder, 'adapter_model.safetensors'),
      safetensors({ [`${name}A.weight`]: A, [`${name}B.weight`]: B }, 64),
    );
    if (config !== undefined) writeFileSync(join(folder, 'adapter_config.json'), config);
    expectRefused(() => readLora(folder));
  });

  it('nothing, an empty folder, a text file', () => {
    const empty = mkdtempSync(join(scratch, 'empty-'));
    expectRefused(() => readLora(join(empty, 'nothing')));
    expectRefused(() => readLora(empty));
    expectRefused(() => readLora(put('notes.txt', 'hello')));
  });
});
