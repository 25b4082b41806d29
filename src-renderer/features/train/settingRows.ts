import type { Run } from '../../../src-shared/domain/run.ts';
import { settingGroups } from '../../../src-shared/domain/settingSchema.ts';
import { holds, valueAt } from '../../../src-shared/domain/settingValues.ts';
import { namesOf } from '../../state/learnt.ts';
import { texts } from '../../texts/index.ts';
import { knobs, type Knob } from './knobSections.ts';

export interface SettingRow {
  readonly name: string;
  readonly values: readonly string[];
  readonly differ: boolean;
}

/** The settings of runs side by side. */
export function settingRows(runs: readonly Run[]): SettingRow[] {
  const model = rowOf(
    texts.train.model,
    runs.map(({ modelName }) => modelName),
  );
  const subjects = runs.some(({ settings }) => settings.otherSubjects)
    ? [
        rowOf(
          texts.train.subjects,
          runs.map((run) => namesOf(run).join(', ')),
        ),
      ]
    : [];
  const inOrder = settingGroups.flatMap((group) => knobs.filter((knob) => knob.group === group));
  return [model, ...subjects, ...inOrder.map((knob) => rowOf(knob.words.label, runs.map(valueIn(knob))))];
}

function rowOf(name: string, values: readonly string[]): SettingRow {
  return { name, values, differ: new Set(values).size > 1 };
}

/** A run's value of a setting, in words; a dash if it has no effect. */
function valueIn({ path, when, words }: Knob): (run: Run) => string {
  return ({ settings }) => {
    const value = holds(when, settings) ? valueAt(settings, path) : null;
    if (typeof value === 'boolean') return value ? texts.common.yes : texts.common.no;
    if (Array.isArray(value)) return value.join(' ');
    if (typeof value === 'number') return String(value);
    return typeof value === 'string' ? (words.choices?.[value] ?? value) : '–';
  };
}
