import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { finetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import { commands } from '../../../src-main/cli/commands/index.ts';
import {
  finetuneOptions,
  finetuneRequest,
  finetuneSettingOptions,
} from '../../../src-main/cli/commands/finetune.ts';
import { generateOptions } from '../../../src-main/cli/generateOptions.ts';
import { generateRequest } from '../../../src-main/cli/generateRequest.ts';
import { flag, integer, operand, text, texts } from '../../../src-main/cli/options.ts';
import { closest, parse } from '../../../src-main/cli/parse.ts';
import { shippedModel } from '../../../src-main/shipped.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';

const options = {
  place: operand(text('PLACE', '')),
  prompt: texts('TEXT', ''),
  maxNorm: integer('N', '', { min: -5, max: 5 }),
  prior: flag('', true),
  flip: flag(''),
};
const read = (...argv: string[]) => parse(argv, options, 'test');

describe('parse', () => {
  it('leaves out what was not said', () => {
    expect(read('here')).toEqual({ place: 'here' });
  });

  it('collects the words of a list, again and again, up to the next option', () => {
    expect(read('here', '--prompt', 'a', 'b', '--flip', '--prompt=--c', '--prompt', '-d').prompt).toEqual([
      'a',
      'b',
      '--c',
      '-d',
    ]);
  });

  it('takes = and negative numbers, and the last of several values', () => {
    expect(read('--max-norm', '3', 'here', '--max-norm=-2').maxNorm).toBe(-2);
    expect(read('--max-norm', '-4', 'here').maxNorm).toBe(-4);
  });

  it('turns switches on and off', () => {
    expect(read('here', '--no-prior', '--flip')).toMatchObject({ prior: false, flip: true });
    expect(read('here', '--no-prior', '--prior', '--no-flip')).toMatchObject({ prior: true, flip: false });
  });

  it('takes words after -- as they are', () => {
    expect(read('--', '--here').place).toBe('--here');
  });

  it.each(['', ' 3', '3 ', '0x3', '1e0', '2.0', '6', '-6', 'Infinity', 'NaN'])(
    'refuses the number "%s"',
    (value) => {
      expect(() => read('here', `--max-norm=${value}`)).toThrow('a whole number from -5 to 5');
    },
  );

  it('guesses what was meant, near words only', () => {
    expect(closest('--promt', ['--prompts', '--prompt', '--prior'])).toBe('--prompt');
    expect(closest('--xyz', ['--prompt', '--out'])).toBeUndefined();
  });
});

describe('wrong usage', () => {
  const wrong: [words: string[], code: string, says: string][] = [
    [['generate', '--promt', 'a dog'], 'usage.unknownOption', 'did you mean --prompt?'],
    [['generate', '--out', 'x'], 'usage.missingOption', '--prompt'],
    [['generate', '--prompt', 'p', '--out', 'x', '--base-guidance', '2'], 'usage.missingOption', '--lora'],
    [['generate', '--prompt', 'a', '--out'], 'usage.missingValue', '--out DIR'],
    [['generate', '--prompt', 'a', '--out', 'x', '--steps', '0'], 'usage.badValue', '--steps'],
    [['generate', '--prompt', 'a', '--out', 'x', '--steps', 'NaN'], 'usage.badValue', '--steps'],
    [['generate', '--prompt', 'a', '--out', 'x', '--guidance', '-1'], 'usage.badValue', '--guidance'],
    [['generate', '--prompt', 'a', '--out', 'x', '--guidance', '1e999'], 'usage.badValue', '--guidance'],
    [['generate', '--prompt', 'a', '--out', 'x', '--size', '513x512'], 'usage.badValue', '--size'],
    [['generate', '--prompt', 'a', '--out', 'x', '--size', '99999999x8'], 'usage.badValue', '--size'],
    [['generate', '--prompt', 'a', '--out', 'x', '--scheduler', 'plms'], 'usage.badValue', 'pndm'],
    [['generate', '--prompt', 'a', '--out', 'x', '--seed', '1.5'], 'usage.badValue', '--seed'],
    [['generate', '--recipe', 'a.png', '--out', 'x', '--steps', '3'], 'usage.conflict', '--steps'],
    [['finetune', '--out', 'x'], 'usage.missingOption', '--photos'],
    [['finetune', '--photos', 'p', '--out', 'x'], 'usage.missingOption', '--class'],
    [['finetune', '--photos', 'p', '--replay', 'r', '--out', 'x'], 'usage.conflict', '--replay'],
    [['finetune', '--replay', 'r', '--out', 'x', '--no-prior=1'], 'usage.unwantedValue', '--no-prior'],
    [['finetune', '--replay', 'r', '--out', 'x', '--size', '64x128'], 'usage.badValue', 'square'],
    [['inspect'], 'usage.missingOption', 'PATH'],
    [['inspect', 'a', 'b'], 'usage.extraWord', '"b"'],
    [['doctor', 'a'], 'usage.extraWord', '"a"'],
  ];

  it.each(wrong)('%j is %s', ([name, ...words], code, says) => {
    const command = commands.find((candidate) => candidate.name === name);
    const error = thrown(() => command?.prepare(words));
    expect(error).toBeInstanceOf(LikenessError);
    expect((error as LikenessError).code).toBe(code);
    expect((error as LikenessError).message).toContain(says);
  });
});

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('generate', () => {
  const request = (...argv: string[]) =>
    generateRequest(parse(['--out', 'o', '--prompt', 'p', ...argv], generateOptions, 'generate'));

  const newPictures = (...argv: string[]) => {
    const asked = request(...argv);
    if ('said' in asked) throw new Error('no recipe was given');
    return asked;
  };

  it('has the defaults of the contract', () => {
    expect(newPictures()).toEqual({
      prompts: ['p'],
      out: path.resolve('o'),
      model: shippedModel,
      loras: [],
      negative: '',
      steps: 25,
      count: 1,
      provider: 'auto',
    });
  });

  it('reads LoRAs with and without weights, and colons in paths', () => {
    const { loras } = newPictures('--lora', 'a', '--lora', 'b:0.5', '--lora', 'c:d', '--lora', 'e:-1');
    const at = (name: string, weight: number) => ({ path: path.resolve(name), weight });
    expect(loras).toEqual([at('a', 1), at('b', 0.5), at('c:d', 1), at('e', -1)]);
  });

  it('reads sizes', () => {
    expect(newPictures('--size', '512x768').size).toEqual({ width: 512, height: 768 });
    expect(newPictures('--size', '64').size).toEqual({ width: 64, height: 64 });
  });
});

describe('finetune', () => {
  const settings = (...argv: string[]) => {
    const given = parse(
      ['--out', 'o', '--photos', 'p', '--class', 'dog', ...argv],
      finetuneOptions,
      'finetune',
      finetuneSettingOptions,
    );
    return completeSettings(finetuneSettings, finetuneRequest(given).settings, {
      model: '/shipped',
      size: 128,
      lora: { alpha: 5 },
    });
  };

  it("takes token and class from a folder that is named as kohya's trainer wants it", () => {
    const of = (...argv: string[]) =>
      finetuneRequest(parse(['--out', 'o', ...argv], finetuneOptions, 'finetune', finetuneSettingOptions))
        .settings;
    const photos = ['--photos', 'data/10_ohwx toy dog'];
    expect(of(...photos)).toMatchObject({ token: 'ohwx', classNoun: 'toy dog' });
    expect(of(...photos, '--token', 'sks')).toMatchObject({ token: 'sks', classNoun: 'toy dog' });
    expect(of(...photos, '--class', 'dog')).toEqual(of('--class', 'dog', ...photos));
    expect(of(...photos, '--class', 'dog')).not.toHaveProperty('token');
  });

  it('takes several subjects, the first one from --photos where that is given', () => {
    const of = (...argv: string[]) =>
      finetuneRequest(parse(['--out', 'o', ...argv], finetuneOptions, 'finetune', finetuneSettingOptions))
        .settings;
    const [dog, cat] = ['--subject=C:\\dog:toy dog:sks', '--subject=cats:cat:ohwx'];
    const second = { photos: path.resolve('cats'), classNoun: 'cat', token: 'ohwx' };
    expect(of(dog, cat)).toEqual({
      ...{ photos: path.resolve('C:\\dog'), classNoun: 'toy dog', token: 'sks' },
      otherSubjects: [second],
    });
    expect(of('--photos', 'p', '--class', 'dog', cat)).toEqual({
      ...{ photos: path.resolve('p'), classNoun: 'dog', otherSubjects: [second] },
    });
    expect(of(cat)).toEqual(second);
    for (const wrong of ['cats', 'cats:cat', 'cats::ohwx', 'cats:cat: ', 'C:\\cats:cat'])
      expect(() => of('--subject', wrong)).toThrow(/DIR:CLASS:TOKEN/);
    expect(() => of(dog, '--token', 'x')).toThrow(/--token/);
    expect(() => of(dog, '--replay', 'r.safetensors')).toThrow(/--subject/);
  });

  it("has the seed's defaults, over them the model's own, over them what was said", () => {
    expect(settings()).toMatchObject({
      ...{
        token: 'sks',
        method: 'lora',
        steps: 800,
        learningRate: 1e-4,
        batch: 1,
        accumulate: 1,
        seed: 1234,
      },
      ...{
        schedule: 'constant',
        warmup: 0,
        trainTextEncoder: true,
        prior: { weight: 1, classImages: 200, classSteps: 25, prompt: 'a photo of {class}' },
      },
      ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2, maxGradientNorm: 1, size: 128 },
      lora: { rank: 16, alpha: 5, targets: ['to_q', 'to_v'] },
      textLora: { rank: 16, alpha: 17, targets: ['q_proj', 'v_proj'] },
    });
    expect(settings('--method', 'full').learningRate).toBe(1e-6);
    expect(settings('--rank', '4', '--targets', 'to_k, to_v').lora).toEqual({
      rank: 4,
      alpha: 5,
      targets: ['to_k', 'to_v'],
    });
  });

  it("takes a model's own rate for the optimizer that it is meant for alone", () => {
    const layers = (asked: object, model: object) =>
      completeSettings(finetuneSettings, { model: '/shipped', size: 128, ...asked }, model);
    expect(layers({}, { learningRate: 3e-3 }).learningRate).toBe(3e-3);
    expect(layers({ optimizer: 'prodigy' }, { learningRate: 3e-3 }).learningRate).toBe(1);
    expect(layers({ optimizer: 'prodigy', learningRate: 0.5 }, { learningRate: 3e-3 }).learningRate).toBe(
      0.5,
    );
    expect(layers({ learningRate: 0.5 }, { optimizer: 'prodigy' }).learningRate).toBe(0.5);
    expect(layers({}, { optimizer: 'prodigy', learningRate: 0.7 }).learningRate).toBe(0.7);
    expect(layers({ optimizer: 'adamw' }, { optimizer: 'prodigy', learningRate: 0.7 }).learningRate).toBe(
      1e-4,
    );
  });

  it('leaves parts out', () => {
    const without = settings('--no-prior', '--no-text-encoder');
    expect(without.prior).toBeNull();
    expect(without.trainTextEncoder).toBe(false);
  });

  it('saves and samples four times in a run unless said otherwise', () => {
    expect(settings('--steps', '10')).toMatchObject({ checkpointEvery: 3, sampleEvery: 3 });
    expect(settings('--checkpoint-every', '7', '--sample-every', '9')).toMatchObject({
      checkpointEvery: 7,
      sampleEvery: 9,
    });
  });

  it('needs nothing but the run to go on', () => {
    const given = parse(['--out', 'o', '--resume'], finetuneOptions, 'finetune', finetuneSettingOptions);
    expect(finetuneRequest(given)).toMatchObject({ out: path.resolve('o'), resume: true });
  });
});
