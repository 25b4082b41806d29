import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { distillSettings } from '../../src-shared/domain/distillSettings.ts';
import { finetuneSettings, trainingSettings } from '../../src-shared/domain/finetuneSettings.ts';
import {
  askedType,
  changedSettings,
  completeSettings,
  isDerived,
  leavesOf,
} from '../../src-shared/domain/settingValues.ts';
import {
  distillRequest,
  distillOptions,
  distillSettingOptions,
} from '../../src-main/cli/commands/distill.ts';
import { finetuneOptions, finetuneSettingOptions } from '../../src-main/cli/commands/finetune.ts';
import { optionName, parse } from '../../src-main/cli/parse.ts';
import { settingsGiven } from '../../src-main/cli/settingOptions.ts';
import { RunFolder } from '../../src-main/engine/training/run/runFolder.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness-settings-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const own = { model: '/model', size: 64, photos: '/photos', classNoun: 'dog' };
const whole = completeSettings(finetuneSettings, {}, own);
const declarations = { finetuneSettings, distillSettings };
const askedRate = (asked: Parameters<typeof completeSettings<typeof finetuneSettings>>[1]) =>
  completeSettings(finetuneSettings, asked, { ...own, method: 'lora', learningRate: 0.001 });

describe.each(Object.entries(declarations))('%s', (_, declaration) => {
  const leaves = leavesOf(declaration);

  it('have names on the command line that differ', () => {
    const options = leaves.map(({ path, setting }) => setting.option ?? path.join('.'));
    expect(new Set(options).size).toBe(options.length);
  });

  it('have defaults within their own limits', () => {
    for (const { path, setting } of leaves) {
      const { default: value, before } = setting;
      if (value !== undefined && !isDerived(value))
        expect(setting.type.safeParse(value), path.join('.')).toMatchObject({ success: true });
      if (before !== undefined) expect(setting.type.safeParse(before)).toMatchObject({ success: true });
    }
  });

  it('depend on settings, and values, that there are', () => {
    for (const { when } of leaves)
      for (const [key, wanted] of Object.entries(when)) {
        const on = leaves.find(({ path }) => path.join('.') === key);
        for (const value of [wanted].flat()) expect(on?.setting.type.safeParse(value).success).toBe(true);
      }
  });
});

describe('what is asked for', () => {
  it('goes over what the model brings along, and that over the defaults, at every level', () => {
    const settings = completeSettings(
      finetuneSettings,
      { lora: { rank: 4 }, prior: {}, steps: 10, sampleEvery: null },
      { ...own, lora: { rank: 8, alpha: 5 }, prior: false },
    );
    expect(settings).toMatchObject({ prior: null, checkpointEvery: 3, sampleEvery: null });
    expect(settings.lora).toEqual({ rank: 4, alpha: 5, targets: ['to_q', 'to_v'] });
    const { prior } = completeSettings(finetuneSettings, { prior: { weight: 2 } }, { ...own, prior: null });
    expect(prior).toEqual({ weight: 2, classImages: 200, classSteps: 25, prompt: 'a photo of {class}' });
  });

  it('decides on the defaults that follow it, wherever it stands', () => {
    expect(completeSettings(finetuneSettings, { method: 'full' }, own).learningRate).toBe(1e-6);
    expect(completeSettings(finetuneSettings, { replay: '/r' }, own).sampleEvery).toBeNull();
  });

  it("takes a model's learning rate for what that is meant for alone", () => {
    const rate = (asked: Parameters<typeof askedRate>[0]) => askedRate(asked).learningRate;
    expect(rate({})).toBe(0.001);
    // All of these add small matrices.
    expect(rate({ method: 'lokr' })).toBe(0.001);
    expect(rate({ method: 'full' })).toBe(1e-6);
    expect(rate({ method: 'embedding' })).toBe(5e-4);
    expect(rate({ optimizer: 'prodigy' })).toBe(1);
    expect(rate({ method: 'full', learningRate: 2e-5 })).toBe(2e-5);
  });

  it.each([
    [{ steps: 0 }, 'steps: '],
    [{ batch: 1025 }, 'batch: '],
    [{ lora: { rank: 1025 } }, 'lora.rank: '],
    [{ lora: { targets: [] } }, 'lora.targets: '],
    [{ prior: { weight: -1 } }, 'prior.weight: '],
    [{ backgroundWeight: 1.1 }, 'backgroundWeight: '],
  ])('is refused by name where it is out of range: %j', (asked, word) =>
    expect(() => completeSettings(finetuneSettings, asked, own)).toThrow(word),
  );

  it('has the same limits on the command line', () => {
    for (const { path, setting } of leavesOf(finetuneSettings)) {
      const { input } = setting;
      if (input.kind !== 'number' || setting.option === null) continue;
      const option = optionName(setting.option ?? path.at(-1) ?? '');
      const say = (value: number) => () =>
        parse(['--out', 'o', option, String(value)], finetuneOptions, 'finetune', finetuneSettingOptions);
      expect(say(input.max), option).not.toThrow();
      expect(say(input.max * 2), option).toThrow(option);
      expect(say(input.min - 1), option).toThrow(option);
    }
  });

  it('may not have its effect taken away by something else that is asked for', () => {
    const given =
      (...argv: string[]) =>
      () =>
        settingsGiven(
          finetuneSettings,
          parse(['--out', 'o', ...argv], finetuneOptions, 'finetune', finetuneSettingOptions),
        );
    expect(given('--rank', '3')).not.toThrow();
    expect(given('--method', 'full', '--rank', '3')).toThrow(
      '--method full and --rank do not go together: --rank needs --method lora',
    );
    expect(given('--no-text-encoder', '--text-alpha', '3')).toThrow('--text-alpha needs --text-encoder');
    expect(given('--class-images', '3', '--no-prior')).toThrow('--class-images needs --prior');
    expect(given('--no-prior')()).toEqual({ prior: false });
  });

  it('turns the moving average on by its decay, or by name', () => {
    const ema = (...argv: string[]) =>
      distillRequest(
        parse(['--out', 'o', '--resume', ...argv], distillOptions, 'distill', distillSettingOptions),
      ).settings.ema;
    expect([ema(), ema('--ema'), ema('--ema-decay', '0.5')]).toEqual([undefined, 0.9999, 0.5]);
    expect(ema('--no-ema', '--ema-decay', '0.5')).toBeNull();
  });

  it('is read from a file only where all of it is understood', () => {
    const type = askedType(trainingSettings);
    expect(type.safeParse({ prior: false, lora: { rank: 3 } }).success).toBe(true);
    for (const wrong of [{ prior: true }, { lora: { rank: '3' } }, { steps: null }, { stepps: 3 }])
      expect(type.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });
});

describe('run.json', () => {
  const file = join(scratch, 'run.json');
  const write = (settings: object): RunFolder => {
    const about = { kind: 'finetune', version: '0', createdAt: '', modelHash: '' };
    writeFileSync(file, JSON.stringify({ ...about, settings }));
    return new RunFolder(scratch);
  };

  it('comes back as it was written', () =>
    expect(write(whole).describe().settings).toEqual(JSON.parse(JSON.stringify(whole))));

  it('from before there were masks, and with nothing for what is off, opens', () => {
    const { backgroundWeight, prior, sampleEvery, samplePrompt, ...old } = whole;
    expect({ backgroundWeight, prior, sampleEvery, samplePrompt }).not.toContain(undefined);
    const { settings } = write(old).describe();
    expect(settings).toMatchObject({ backgroundWeight: 1, prior: null, sampleEvery: null });
  });

  it.each([
    [{ crop: 'middle' }, 'crop: '],
    [{ crop: undefined }, 'crop: '],
    [{ provider: 'abacus' }, 'provider: '],
    [{ flip: 'yes' }, 'flip: '],
    [{ lora: { ...whole.lora, alpha: 'x' } }, 'lora.alpha: '],
    [{ photos: 5 }, 'photos: '],
    [{ photoScenes: { a: 1 } }, 'photoScenes.a: '],
    [{ tomorrows: 1 }, 'tomorrows: this version knows no such setting'],
  ])('is refused by file and field where it is damaged: %j', (damage, word) => {
    const run = write({ ...whole, ...damage });
    expect(() => run.describe()).toThrow(word);
    expect(() => run.describe()).toThrow(file);
    expect(readFileSync(file, 'utf8')).toContain('"finetune"');
  });
});

describe('a run that goes on', () => {
  const change = (asked: Parameters<typeof changedSettings<typeof finetuneSettings>>[2], moved = false) =>
    changedSettings(finetuneSettings, whole, asked, { folder: scratch, isThere: () => !moved });

  it('takes what is no part of the arithmetic, and files that have moved', () => {
    expect(change({ steps: 900, samplePrompt: 'a dog', provider: 'cpu' })).toMatchObject({ steps: 900 });
    expect(change({ photos: '/there' }, true).photos).toBe('/there');
    expect(change({ lora: {}, prior: { weight: 1 } })).toEqual(whole);
  });

  it.each([
    [{ photos: '/there' }, '"photos"'],
    [{ lora: { rank: 3 } }, '"lora.rank" at 16, not 3'],
    [{ prior: false } as const, '"prior"'],
    [{ seed: 1 }, '"seed" at 1234, not 1'],
  ])('refuses others by name: %j', (asked, word) => expect(() => change(asked)).toThrow(word));
});
