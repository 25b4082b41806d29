import type { Run } from '../../../src-shared/domain/run.ts';
import { texts } from '../../texts/index.ts';

export interface SettingRow {
  readonly name: string;
  readonly values: readonly string[];
  readonly differ: boolean;
}

const { knobs } = texts;

/** Each setting, and how to read it off a run. */
const columns: readonly (readonly [string, (run: Run) => string | number | boolean | null])[] = [
  [texts.train.model, (run) => run.modelName],
  [knobs.method, ({ settings }) => knobs[settings.method]],
  [knobs.steps, ({ settings }) => settings.steps],
  [knobs.rate, ({ settings }) => settings.learningRate],
  [knobs.schedule, ({ settings }) => knobs.schedules[settings.schedule]],
  [knobs.warmup, ({ settings }) => settings.warmup],
  [knobs.batch, ({ settings }) => settings.batch],
  [knobs.accumulate, ({ settings }) => settings.accumulate],
  ['LoRA', ({ settings: { method, lora } }) => (method === 'lora' ? loraWords(lora) : null)],
  [
    knobs.text.rank,
    ({ settings: { method, trainTextEncoder, textLora } }) =>
      method === 'lora' && trainTextEncoder ? loraWords(textLora) : null,
  ],
  [knobs.textEncoder, ({ settings }) => settings.trainTextEncoder],
  [knobs.priorWeight, ({ settings }) => settings.prior?.weight ?? null],
  [knobs.classImages, ({ settings }) => settings.prior?.classImages ?? null],
  [knobs.size, ({ settings }) => settings.size],
  [knobs.crop, ({ settings }) => (settings.crop === 'center' ? knobs.cropCenter : knobs.cropRandom)],
  [knobs.flip, ({ settings }) => settings.flip],
  [knobs.background, ({ settings }) => settings.backgroundWeight],
  [knobs.seed, ({ settings }) => settings.seed],
  ['β₁, β₂, ε', ({ settings }) => [settings.beta1, settings.beta2, settings.epsilon].join(', ')],
  [knobs.decay, ({ settings }) => settings.weightDecay],
  [knobs.norm, ({ settings }) => settings.maxGradientNorm],
];

function loraWords({ rank, alpha, targets }: Run['settings']['lora']): string {
  return `r ${rank}, α ${alpha}, ${targets.join(' ')}`;
}

function words(value: string | number | boolean | null): string {
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? texts.common.yes : texts.common.no;
  return String(value);
}

/** The settings of runs side by side. */
export function settingRows(runs: readonly Run[]): SettingRow[] {
  return columns.map(([name, read]) => {
    const values = runs.map((run) => words(read(run)));
    return { name, values, differ: new Set(values).size > 1 };
  });
}
