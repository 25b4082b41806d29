import {
  trainingSettings,
  type TrainingChanges,
  type TrainingSettings,
} from '../../../src-shared/domain/finetuneSettings.ts';
import { settingGroups, type SettingGroup } from '../../../src-shared/domain/settingSchema.ts';
import { holds, leavesOf, valueAt, type Leaf } from '../../../src-shared/domain/settingValues.ts';
import type { KnobWords } from '../../texts/en/knobs.ts';
import { texts } from '../../texts/index.ts';

export interface Knob extends Leaf {
  readonly name: string;
  readonly words: KnobWords;
  /** The switch of its part, which can be turned off, is above this knob. */
  readonly switches: boolean;
}

const words: Readonly<Record<string, KnobWords | undefined>> = texts.knobs.settings;

/** The words for a setting, or for a part that can be turned off. */
export function wordsOf(name: string): KnobWords {
  return words[name] ?? { label: name };
}

/** The settings shown in the studio. */
export const knobs: readonly Knob[] = leavesOf(trainingSettings)
  .filter(({ group }) => group !== undefined)
  .map((leaf) => {
    const name = leaf.path.join('.');
    const switches = leaf.part?.off !== undefined && Object.keys(leaf.part.settings)[0] === leaf.path[1];
    return { ...leaf, name, switches, words: wordsOf(name) };
  });

export interface KnobSection {
  readonly group: SettingGroup;
  readonly shown: readonly Knob[];
}

/** The knobs that have an effect with these settings, by group: the everyday ones, or the advanced ones. */
export function knobSections(settings: TrainingSettings, advanced: boolean): KnobSection[] {
  const isShown = ({ setting, when, part, path, switches }: Knob): boolean =>
    (setting.advanced === true) === advanced &&
    holds(when, settings) &&
    (part?.off === undefined || switches || valueAt(settings, path) !== undefined);
  return settingGroups
    .map((group) => ({ group, shown: knobs.filter((knob) => knob.group === group && isShown(knob)) }))
    .filter(({ shown }) => shown.length > 0);
}

/** How many advanced settings differ from the preset. */
export function advancedChanges(changes: TrainingChanges): number {
  return knobs.filter(({ setting, path }) => setting.advanced && valueAt(changes, path) !== undefined).length;
}
