import { trainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import { leavesOf, type Leaf } from '../../../src-shared/domain/settingValues.ts';
import type { KnobWords } from '../../texts/en/knobs.ts';
import { texts } from '../../texts/index.ts';

export interface Knob extends Leaf {
  readonly name: string;
  readonly words: KnobWords;
}

const words: Readonly<Record<string, KnobWords | undefined>> = texts.knobs.settings;

/** What a setting, or a part that may be none, is called. */
export function wordsOf(name: string): KnobWords {
  return words[name] ?? { label: name };
}

/** The settings that the studio asks for. */
export const knobs: readonly Knob[] = leavesOf(trainingSettings)
  .filter(({ group }) => group !== undefined)
  .map((leaf) => ({ ...leaf, name: leaf.path.join('.'), words: wordsOf(leaf.path.join('.')) }));
