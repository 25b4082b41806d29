import { describe, expect, it } from 'vitest';
import { advancedChanges, knobs, knobSections } from '../../../src-renderer/features/train/knobSections.ts';
import { settingRows } from '../../../src-renderer/features/train/settingRows.ts';
import { trainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../src-shared/domain/settingValues.ts';
import type { Run } from '../../../src-shared/domain/run.ts';

const settings: Run['settings'] = completeSettings(trainingSettings, {
  classNoun: 'dog',
  steps: 240,
  seed: 7,
  size: 128,
});

function run(changed: Partial<Run['settings']>): Run {
  return {
    ...{ id: 1, subjectId: 1, name: 'Rex', folder: 'runs/1', state: 'done', modelId: 1, modelName: 'mini' },
    ...{ step: 240, loss: 0.1, secondsPerStep: 1, createdAt: 0, finishedAt: 1, jobId: null, error: null },
    ...{ checkpoints: 4, pickedStep: null },
    settings: { ...settings, ...changed },
  };
}

const differing = (...runs: Run[]) => settingRows(runs).filter(({ differ }) => differ);

describe('the settings of runs, side by side', () => {
  it('mark nothing where two runs are alike', () => {
    expect(differing(run({}), run({}))).toEqual([]);
  });

  it('mark what differs, and only that, with both values', () => {
    expect(differing(run({}), run({ learningRate: 5e-5 }))).toMatchObject([
      { values: ['0.0001', '0.00005'] },
    ]);
    expect(differing(run({}), run({ flip: true }))).toMatchObject([{ values: ['no', 'yes'] }]);
    expect(differing(run({}), run({ crop: 'random' }))).toHaveLength(1);
  });

  it('name the subjects where a run learnt several', () => {
    const both = run({ otherSubjects: [{ token: 'ohwx', classNoun: 'cat' }] });
    expect(settingRows([both])[1]?.values).toEqual(['sks dog, ohwx cat']);
    expect(settingRows([run({})]).map(({ name }) => name)).not.toContain('Subjects');
  });

  it('find a difference in one of many runs', () => {
    const [row] = differing(run({}), run({}), run({ seed: 8 }));
    expect(row?.values).toEqual(['7', '7', '8']);
  });

  it('show no LoRA for a run of all weights, and no prior for a run without', () => {
    const shown = (name: string) =>
      settingRows([run({ method: 'full', prior: null })]).find((row) => row.name === name)?.values[0];
    expect(shown('Rank (U-Net)')).toBe('–');
    expect(shown('Rank (text)')).toBe('–');
    expect(shown('Class pictures')).toBe('–');
    const [, ...rows] = settingRows([run({ trainTextEncoder: false })]);
    const words = Object.fromEntries(rows.map(({ name, values }) => [name, values[0]]));
    expect(words).toMatchObject({
      'Modules (U-Net)': 'to_q to_v',
      'Rank (text)': '–',
      'Class pictures': '200',
    });
    expect(words).toMatchObject({ Method: 'LoRA', Crop: 'the chosen square', Steps: '240' });
  });

  it('call every setting and every choice by a name of its own', () => {
    expect(knobs.map(({ words, name }) => words.label !== name)).not.toContain(false);
    for (const { setting, words } of knobs)
      if (setting.input.kind === 'choice')
        expect(Object.keys(words.choices ?? {})).toEqual(setting.input.choices);
  });
});

describe('the knobs', () => {
  const names = (changes: Partial<Run['settings']>, advanced: boolean) =>
    knobSections({ ...settings, ...changes }, advanced).flatMap(({ shown }) => shown.map(({ name }) => name));

  it('are the everyday ones, and the advanced ones apart, each in one place', () => {
    expect(names({}, false)).toEqual(
      expect.arrayContaining(['steps', 'learningRate', 'lora.rank', 'optimizer']),
    );
    expect(names({}, true)).toEqual(expect.arrayContaining(['minSnrGamma', 'lora.targets', 'beta1']));
    const both = [...names({}, false), ...names({}, true)];
    expect(new Set(both).size).toBe(both.length);
  });

  it('are those that have an effect beside the others', () => {
    expect(names({ method: 'full' }, true)).not.toContain('lora.targets');
    expect(names({ optimizer: 'prodigy' }, false)).toContain('stepScale');
    expect(names({}, false)).not.toContain('stepScale');
    // Without prior preservation, its switch is left, in the place of its first setting.
    expect(names({ prior: null }, false)).toContain('prior.weight');
    expect(names({ prior: null }, false)).not.toContain('prior.classImages');
  });

  it('tell how many of those folded away were changed', () => {
    expect(advancedChanges({})).toBe(0);
    expect(advancedChanges({ steps: 100, lora: { rank: 4 } })).toBe(0);
    expect(advancedChanges({ minSnrGamma: 5, lora: { targets: ['to_k'] }, warmup: 10 })).toBe(3);
  });
});
