import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitLora, fitWholeLora } from '../../../src-main/engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { mergeLora } from '../../../src-main/engine/checkpoints/lora/mergeLora.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import type { Computed } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { bindLoras } from '../../../src-main/engine/pipelines/adapters.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '../fixtures');
const kinds = join(fixtures, 'checkpoints/lora-kinds');
const model = openModel(join(fixtures, 'models/tiny-sd1'));

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-lora-kinds-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** Largest difference between how the LoRA at `path` moves the U-Net and how PEFT does. */
function error(path: string, kind: string): number {
  const { adapters, changes, unmatched } = fitWholeLora(readLora(path), model);
  expect(unmatched).toEqual([]);
  const { weights } = model.unet;
  const merged = mergeLora(
    weights,
    adapters.map((adapter) => ({ adapter, weight: 1 })),
  );
  const { matrices } = bindLoras([{ adapters: [], changes, weight: 1 }]);
  const moved = readSafetensors(join(kinds, kind, 'moved.safetensors')).tensors;
  expect(merged.size + changes.length).toBe(moved.size);
  let worst = 0;
  for (const [name, entry] of moved) {
    const changed = matrices(`unet.${name}`) as { data: Float32Array } | undefined;
    const after = changed?.data ?? (merged.get(name) as Computed).compute().data;
    const before = readF32(weights.get(name) as FileTensor).data;
    readF32(entry).data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs((after[i] as number) - (before[i] as number) - value));
    });
  }
  return worst;
}

type Stored = { dtype: string; shape: readonly number[]; bytes: Uint8Array };

function writeFile(path: string, tensors: ReadonlyMap<string, Stored>): void {
  let end = 0;
  const header = Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, bytes }]) => {
      const entry = { dtype, shape, data_offsets: [end, end + bytes.length] };
      end += bytes.length;
      return [name, entry];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, ...[...tensors.values()].map(({ bytes }) => bytes)]));
}

/** diffusers' module → single files'. */
const singleFileNames = new Map(
  Object.entries(
    (
      JSON.parse(readFileSync(join(fixtures, 'checkpoints/single-file-names.json'), 'utf8')) as {
        'tiny-sd1': { unet: Record<string, string> };
      }
    )['tiny-sd1'].unet,
  ).map(([theirs, ours]) => [ours.replace(/\.weight$/, ''), theirs.replace(/\.weight$/, '')]),
);
const ldm = (module: string): string => singleFileNames.get(module) ?? '?';
const flat = (module: string): string => module.replaceAll('.', '_');

const spellings: Readonly<Record<string, (module: string) => string>> = {
  'kohya and LyCORIS': (module) => `lora_unet_${flat(module)}`,
  "kohya with single files' names": (module) => `lora_unet_${flat(ldm(module))}`,
  ComfyUI: (module) => `diffusion_model.${ldm(module)}`,
  diffusers: (module) => `unet.${module}`,
};

const endings: readonly (readonly [string, string])[] = [
  ['.lora_A.weight', '.lora_down.weight'],
  ['.lora_B.weight', '.lora_up.weight'],
  ['.lora_magnitude_vector', '.dora_scale'],
];

/** The fixture under another tool's names, each module with its alpha in this type. */
function respelled(kind: string, spell: (module: string) => string, alpha: [string, Uint8Array]): string {
  const { tensors } = readSafetensors(join(kinds, kind, 'adapter_model.safetensors'));
  const renamed = new Map<string, Stored>();
  for (const [name, entry] of tensors) {
    const [theirs, ours] = endings.find(([ending]) => name.endsWith(ending)) ?? [
      name.slice(name.lastIndexOf('.')),
      name.slice(name.lastIndexOf('.')),
    ];
    const stem = spell(name.slice('base_model.model.'.length, -theirs.length));
    const { data } = readF32(entry);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    // LyCORIS keeps DoRA's magnitudes as a column.
    const shape = ours === '.dora_scale' ? [data.length, 1] : entry.shape;
    renamed.set(stem + ours, { dtype: 'F32', shape, bytes });
    renamed.set(`${stem}.alpha`, { dtype: alpha[0], shape: [], bytes: alpha[1] });
  }
  const file = join(scratch, `${kind}.safetensors`);
  writeFile(file, renamed);
  return file;
}

const bytesOf = (array: Float64Array | Float32Array | Int16Array | Int8Array | BigInt64Array): Uint8Array =>
  new Uint8Array(array.buffer);
const threes: [string, Uint8Array][] = [
  ['F32', bytesOf(Float32Array.of(3))],
  ['F64', bytesOf(Float64Array.of(3))],
  ['I16', bytesOf(Int16Array.of(3))],
  ['I8', bytesOf(Int8Array.of(3))],
  ['I64', bytesOf(BigInt64Array.of(3n))],
  ['F16', Uint8Array.of(0x00, 0x42)],
  ['BF16', Uint8Array.of(0x40, 0x40)],
  ['F8_E4M3', Uint8Array.of(0x44)],
  ['F8_E5M2', Uint8Array.of(0x42)],
];

describe('every kind of LoRA moves the weights as PEFT does', () => {
  const names = ['loha', 'loha-tucker', 'lokr', 'lokr-both', 'lokr-tucker', 'dora', 'rslora'];
  it.each(names)('%s, as PEFT saves it', (kind) => {
    expect(error(join(kinds, kind), kind)).toBeLessThan(1e-5);
  });

  const spelled = Object.keys(spellings);
  const kindsOfFiles = ['loha', 'loha-tucker', 'lokr-both', 'lokr-tucker', 'dora'];
  it.each(kindsOfFiles.flatMap((kind) => spelled.map((tool) => [kind, tool] as const)))(
    '%s, in the names of %s',
    (kind, tool) => {
      const spell = spellings[tool] as (module: string) => string;
      expect(error(respelled(kind, spell, threes[0] as [string, Uint8Array]), kind)).toBeLessThan(1e-5);
    },
  );

  it.each(threes)('an alpha of type %s counts', (...alpha) => {
    const file = respelled('dora', spellings['diffusers'] as (module: string) => string, alpha);
    expect(error(file, 'dora')).toBeLessThan(1e-5);
  });

  it('an alpha that is no number is refused by name', () => {
    const file = respelled('dora', spellings['diffusers'] as (module: string) => string, [
      'BOOL',
      Uint8Array.of(1),
    ]);
    expect(() => readLora(file)).toThrow(/alpha" is of type bool/);
    // A byte holds two.
    const four = new Map([['lora_unet_conv_in.alpha', { dtype: 'F4', shape: [2], bytes: Uint8Array.of(1) }]]);
    writeFile(join(scratch, 'f4.safetensors'), four);
    expect(() => readLora(join(scratch, 'f4.safetensors'))).toThrow(/alpha" is of type F4/);
  });
});

describe('an alpha that was pickled', () => {
  const file = (kind: string): string => join(fixtures, `checkpoints/lora-alpha-${kind}.pt`);
  it.each(['float', 'int'])('as a plain number (%s) counts', (kind) => {
    expect(readLora(file(kind)).adapters).toMatchObject([{ rank: 2, alpha: 3 }]);
  });

  it("as one of numpy's is refused by name", () => {
    expect(() => readLora(file('numpy'))).toThrow(/proj_in\.alpha" is of type object/);
  });
});

describe('half a LoRA', () => {
  it('is an error that names what would be left out, and fits in part on request', () => {
    const file = respelled(
      'rslora',
      (module) => (module.includes('resnets') ? 'unet.down_blocks.9.resnets.0.conv1' : `unet.${module}`),
      threes[0] as [string, Uint8Array],
    );
    expect(() => fitWholeLora(readLora(file), model)).toThrow(/down_blocks\.9\.resnets\.0\.conv1.*--partial/);
    expect(fitLora(readLora(file), model)).toMatchObject({
      unmatched: ['unet.down_blocks.9.resnets.0.conv1'],
      adapters: [{ rank: 2 }],
    });
  });

  it('is none whose embeddings are read apart from it', () => {
    const file = respelled('rslora', (module) => `unet.${module}`, threes[0] as [string, Uint8Array]);
    const whole = new Map<string, Stored>();
    for (const [name, entry] of readSafetensors(file).tensors) {
      const { shape, data } = readF32(entry);
      whole.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) });
    }
    const vectors = { dtype: 'F32', shape: [2, 4], bytes: new Uint8Array(32) };
    const bundled = join(scratch, 'bundled.safetensors');
    writeFile(bundled, new Map([...whole, ['bundle_emb.sks-dog.string_to_param.*', vectors]]));
    const lora = readLora(bundled);
    expect(lora.embeddings.get('sks-dog')).toMatchObject({ shape: [2, 4] });
    expect(fitWholeLora(lora, model).unmatched).toEqual([]);
    expect(fitLora(lora, model).adapters).toEqual(fitLora(readLora(file), model).adapters);
  });

  it('is also one of two methods on one module', () => {
    const both = new Map<string, Stored>();
    for (const kind of ['loha', 'rslora'])
      for (const [name, entry] of readSafetensors(
        respelled(kind, () => 'unet.conv_in', threes[0] as [string, Uint8Array]),
      ).tensors) {
        const { shape, data } = readF32(entry);
        both.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) });
      }
    const file = join(scratch, 'both.safetensors');
    writeFile(file, both);
    expect(() => readLora(file)).toThrow(/"unet\.conv_in" is changed by two methods at once/);
  });

  const plain = threes[0] as [string, Uint8Array];
  /** The tensors of a LoRA, each under the names that `names` gives. */
  function copied(to: string, names: (name: string) => readonly string[]): string {
    const all = new Map<string, Stored>();
    for (const [name, entry] of readSafetensors(respelled('rslora', (module) => `unet.${module}`, plain))
      .tensors) {
      const { shape, data } = readF32(entry);
      for (const own of names(name))
        all.set(own, { dtype: 'F32', shape, bytes: new Uint8Array(data.buffer) });
    }
    const file = join(scratch, to);
    writeFile(file, all);
    return file;
  }

  it("an adapter's own name in PEFT's state is no part of a module's", () => {
    const named = copied('named.safetensors', (name) => [name.replace('.weight', '.my-dog.weight')]);
    const bare = copied('bare.safetensors', (name) => [name]);
    expect(fitWholeLora(readLora(named), model).adapters).toEqual(
      fitWholeLora(readLora(bare), model).adapters,
    );
  });

  it('of which a file holds several is refused, not read as the last of them', () => {
    const two = copied('two.safetensors', (name) => [
      name.replace('.weight', '.a.weight'),
      name.replace('.weight', '.b.weight'),
    ]);
    expect(() => readLora(two)).toThrow(/holds several LoRAs/);
  });

  it("is refused by name if it is another of PEFT's methods, or if no tool writes its names", () => {
    const ada = copied('ada.safetensors', (name) => [name, name.replace(/lora_.*$/, 'lora_E')]);
    expect(() => readLora(ada)).toThrow(/it is an AdaLoRA/);
    const oft = copied('oft.safetensors', (name) => [name.replace(/lora_.*$/, 'oft_R.weight')]);
    expect(() => readLora(oft)).toThrow(/it is an OFT/);
    const hra = copied('hra.safetensors', (name) => [name.replace(/lora_.*$/, 'hra_u')]);
    expect(() => readLora(hra)).toThrow(/one of PEFT's other methods/);
    const odd = copied('odd.safetensors', (name) =>
      name.endsWith('.alpha') ? [] : [name.replace('.weight', '.matrix')],
    );
    expect(() => readLora(odd)).toThrow(/its tensors have unknown names \("unet\./);
  });

  it('for a model of another width says so', () => {
    const file = respelled(
      'rslora',
      () => 'unet.mid_block.attentions.0.proj_in',
      threes[0] as [string, Uint8Array],
    );
    expect(() => fitLora(readLora(file), model)).toThrow(/was not made for/);
  });
});

describe('a start that changes the base model', () => {
  it.each(['pissa', 'pissa_niter_4', 'olora', 'loftq', 'corda'])('%s is refused by name', (start) => {
    const folder = join(scratch, start);
    cpSync(join(kinds, 'rslora'), folder, { recursive: true });
    const config = join(folder, 'adapter_config.json');
    const keys = JSON.parse(readFileSync(config, 'utf8')) as Record<string, unknown>;
    writeFileSync(config, JSON.stringify({ ...keys, init_lora_weights: start }));
    expect(() => readLora(folder)).toThrow(new RegExp(`init_lora_weights is "${start}"`));
  });
});

describe('where a LoRA lies', () => {
  it('its content decides what kind of file it is', () => {
    const file = respelled('loha', (module) => `unet.${module}`, threes[0] as [string, Uint8Array]);
    for (const name of ['shouted.SAFETENSORS', 'without ending', 'misnamed.bin']) {
      cpSync(file, join(scratch, name));
      expect(readLora(join(scratch, name)).changes).toHaveLength(2);
    }
  });
});

describe('what is no weights', () => {
  const standIns: readonly (readonly [string, string, RegExp])[] = [
    ['a sign-in page', '<!DOCTYPE html><html><body>Sign in</body></html>', /is a web page.*sign in/],
    ['an answer', '{"error":"Access to this model is restricted"}', /JSON.*restricted/],
    [
      'a pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 34\n',
      /LFS.*git lfs pull/,
    ],
    ['a shortcut of Windows', '[InternetShortcut]\r\nURL=https://example.org/x\r\n', /is a shortcut/],
    [
      'a shortcut of macOS',
      '<?xml version="1.0"?>\n<!DOCTYPE plist>\n<plist><dict/></plist>',
      /is a shortcut/,
    ],
    ['a torrent', 'd8:announce21:https://example.org/a4:infod6:lengthi1eee', /is a torrent/],
  ];
  const endings = ['safetensors', 'ckpt', 'bin', 'pt', 'txt'];
  it.each(standIns.flatMap((one) => endings.map((ending) => [...one, ending] as const)))(
    '%s is called so, whatever its ending (%4$s)',
    (_, text, what, ending) => {
      const file = join(scratch, `stand-in.${ending}`);
      writeFileSync(file, text);
      expect(() => readLora(file)).toThrow(what);
      expect(() => openModel(file)).toThrow(what);
    },
  );

  it('a configuration is called one, and is no answer of a server', () => {
    const file = join(kinds, 'rslora', 'adapter_config.json');
    expect(() => readLora(file)).toThrow(/as configurations are.*the folder that this one lies in/);
  });

  it.each([
    ['input_blocks.0.0.weight', 'a U-Net alone, without text encoder and VAE'],
    ['model_ema.diffusion_modelinput_blocks00weight', 'the averaged (EMA) weights'],
  ])('%s alone: %s', (name, what) => {
    const file = join(scratch, 'part.safetensors');
    writeFile(file, new Map([[name, { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }]]));
    expect(() => openModel(file)).toThrow(what);
  });

  it.each(['F64', 'F8_E4M3'])('a model stored as %s is told to be had in another type', (dtype) => {
    const file = join(scratch, `${dtype}.safetensors`);
    const bytes = new Uint8Array(dtype === 'F64' ? 8 : 1);
    writeFile(
      file,
      new Map([['model.diffusion_model.input_blocks.0.0.weight', { dtype, shape: [1], bytes }]]),
    );
    expect(() => openModel(file)).toThrow(new RegExp(`stored as ${dtype}.*fp16`));
  });

  it('a picture is no LoRA and no model', () => {
    const file = join(scratch, 'picture.png');
    writeFileSync(file, Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 1, 2, 3, 4));
    expect(() => readLora(file)).toThrow('is a picture, not the weights');
    expect(() => openModel(file)).toThrow('is a picture, not the weights');
  });
});
