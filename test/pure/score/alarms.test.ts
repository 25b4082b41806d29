import { expect, it } from 'vitest';
import { alarmsOf } from '../../../src-main/features/score/alarms.ts';
import type { Figures, RunScore, ScoredCheckpoint } from '../../../src-shared/domain/runScore.ts';

const sound: Figures = {
  'subject (MobileNetV2)': { value: 0.7, low: 0.65, high: 0.75 },
  'variety (MobileNetV2)': { value: 0.5, low: 0.4, high: 0.6 },
  'class leak (MobileNetV2)': { value: 0.1, low: -0.1, high: 0.3 },
};

function checkpoint(step: number, figures: Figures = {}, more: Partial<ScoredCheckpoint> = {}) {
  return {
    ...{ step, path: '', figures: { ...sound, ...figures } },
    reach: { fidelity: 0.6, editability: 0.6, balance: 0.6 },
    memorization: { share: 0, threshold: 0.9, copies: [] },
    ...more,
  };
}

function alarms(...checkpoints: ScoredCheckpoint[]): string[] {
  const score: RunScore = {
    ...{ run: '', kind: 'object', prompts: [], seeds: 1, withoutPrompt: null },
    ...{
      fidelityBy: '',
      editabilityBy: '',
      base: sound,
      photos: {},
      checkpoints,
      pick: 60,
      knee: 60,
      why: '',
    },
  };
  return alarmsOf(score);
}

it('says nothing of checkpoints that are sound', () => {
  expect(alarms(checkpoint(60), checkpoint(120))).toEqual([]);
});

it('raises a leak in words, with how far it went; not one that may be chance', () => {
  const leak = (value: number, low: number, high: number): Figures => ({
    'class leak (MobileNetV2)': { value, low, high },
  });
  const [told, ...others] = alarms(checkpoint(60), checkpoint(240, leak(1.005, 0.58, 1.47)));
  expect(told).toMatch(/^Step 240: .*draws your subject\..* 100% .*58% and 147%.*class pictures/s);
  expect(others).toEqual([]);
  expect(alarms(checkpoint(240, leak(0.4, -0.2, 1)))).toEqual([]);
  expect(alarms(checkpoint(240, { 'class leak (MobileNetV2)': null }))).toEqual([]);
});

it('raises copies, sameness and deafness too, one sentence for all checkpoints that have a fault', () => {
  const copy = { picture: 'a', photo: 'b', resemblance: 0.99 };
  const same: Figures = { 'variety (MobileNetV2)': { value: 0.1, low: 0.05, high: 0.2 } };
  const told = alarms(
    checkpoint(60, {}, { memorization: { share: 0.2, threshold: 0.9, copies: [copy] } }),
    checkpoint(120, same),
    checkpoint(180, same),
    checkpoint(240, same, { reach: { fidelity: 0.9, editability: 0.1, balance: 0.2 } }),
  );
  expect(told).toHaveLength(3);
  expect(told[0]).toMatch(/^Step 60: 20% of the pictures are nearly one of your photos/);
  expect(told[1]).toMatch(/^Steps 120, 180 and 240: its pictures are too similar, with 20%/);
  expect(told[2]).toMatch(/^Step 240: it hardly does what the prompt says/);
});

it('names an earlier checkpoint, or another, only where one is without the fault', () => {
  const leak: Figures = { 'class leak (MobileNetV2)': { value: 0.7, low: 0.5, high: 0.8 } };
  const advice = (...checkpoints: ScoredCheckpoint[]): string | undefined =>
    alarms(...checkpoints)[0]?.split('). ')[1];
  expect(advice(checkpoint(80), checkpoint(160, leak))).toBe(
    'Keep an earlier checkpoint, or train with class pictures.',
  );
  expect(advice(checkpoint(80, leak), checkpoint(160))).toBe(
    'Keep another checkpoint, or train with class pictures.',
  );
  expect(advice(checkpoint(80, leak), checkpoint(160, leak))).toBe('Train with class pictures.');
});
