import { describe, expect, it } from 'vitest';
import { knobs } from '../../../src-renderer/features/train/knobs.ts';
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
