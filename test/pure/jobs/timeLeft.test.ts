import { expect, it } from 'vitest';
import { TimeLeft } from '../../../src-shared/domain/timeLeft.ts';

it('knows nothing before there is a pace, and nothing once a phase is over', () => {
  const estimate = new TimeLeft();
  expect(estimate.secondsLeft('reading pictures', 0, 5, 0)).toBeNull();
  expect(estimate.secondsLeft('reading pictures', 4, 5, 4)).toBe(1);
  expect(estimate.secondsLeft('reading pictures', 5, 5, 5)).toBeNull();
  // The next phase begins without the pace of the one before.
  expect(estimate.secondsLeft('steps', 0, 240, 6)).toBeNull();
  expect(estimate.secondsLeft('steps', 1, 240, 8)).toBe(2 * 239);
});

it('is not thrown by one slow step: the time left stays within a third of what it was', () => {
  const estimate = new TimeLeft();
  let now = 0;
  estimate.secondsLeft('steps', 0, 200, now);
  for (let step = 1; step <= 50; step += 1) estimate.secondsLeft('steps', step, 200, (now += 1));
  // A checkpoint and a sample are made within this step.
  const after = estimate.secondsLeft('steps', 51, 200, (now += 3)) ?? NaN;
  expect(after).toBeGreaterThan(149);
  expect(after).toBeLessThan(149 * 1.5);
});

it('follows a machine that becomes slower', () => {
  const estimate = new TimeLeft();
  let now = 0;
  estimate.secondsLeft('steps', 0, 1000, now);
  for (let step = 1; step <= 100; step += 1) estimate.secondsLeft('steps', step, 1000, (now += 1));
  for (let step = 101; step <= 130; step += 1) estimate.secondsLeft('steps', step, 1000, (now += 2));
  expect(estimate.secondsLeft('steps', 131, 1000, now + 2)).toBeGreaterThan(1.9 * 869);
});

/** A run as it goes: what takes how long, in order, and what is told. */
function run(hurry: number): { label: string; done: number; total: number; seconds: number }[] {
  const phase = (label: string, done: number, total: number, seconds: number) => [
    { label, done: done - 1, total, seconds: 0 },
    { label, done, total, seconds: seconds * hurry },
  ];
  const photos = Array.from({ length: 10 }, (_, i) => phase('reading photos', i + 1, 10, 0.05));
  const steps = Array.from({ length: 240 }, (_, i) => [
    ...[{ label: 'steps', done: i, total: 240, seconds: 0 }],
    ...[{ label: 'steps', done: i + 1, total: 240, seconds: (0.3 + 0.1 * (i % 3)) * hurry }],
    ...((i + 1) % 60 ? [] : phase('checkpoints', (i + 1) / 60, 4, 0.4)),
    ...((i + 1) % 60 ? [] : phase('samples', (i + 1) / 60 + 1, 5, 6)),
  ]);
  return [
    ...photos.flat(),
    ...phase('building the network', 1, 1, 9),
    ...phase('measuring', 1, 2, 0.4),
    ...phase('samples', 1, 5, 6),
    ...steps.flat(),
    ...phase('measuring', 2, 2, 0.4),
  ];
}

const phases = [
  { label: 'reading photos', total: 10, weight: 1 },
  { label: 'building the network', total: 1, weight: 0 },
  { label: 'measuring', total: 2, weight: 12 },
  { label: 'steps', total: 240, weight: 12 },
  { label: 'samples', total: 5, weight: 55 },
  { label: 'checkpoints', total: 4, weight: 4 },
];

/** What is shown each second, and what is really left then. */
function watch(hurry: number, expected?: Readonly<Record<string, number>>) {
  const estimate = new TimeLeft(expected);
  estimate.plan(phases);
  const events = run(hurry);
  const all = events.reduce((sum, { seconds }) => sum + seconds, 0);
  const seen: { now: number; shown: number | null; share: number | null; left: number }[] = [];
  let now = 0;
  for (const { label, done, total, seconds } of events) {
    for (let at = Math.ceil(now); at < now + seconds; at += 1)
      seen.push({ now: at, shown: estimate.left(at), share: estimate.share(at), left: all - at });
    now += seconds;
    estimate.secondsLeft(label, done, total, now);
  }
  return { seen, all, atEnd: estimate.left(now) };
}

it('counts every phase of the plan: never seconds before minutes of work', () => {
  const { seen, all, atEnd } = watch(1);
  const told = seen.filter(({ shown }) => shown !== null);
  expect(told.length).toBeGreaterThan(0.8 * all);
  for (const { shown, left } of told) {
    expect(shown).toBeGreaterThan(0.5 * left - 5);
    expect(shown).toBeLessThan(1.6 * left + 5);
  }
  expect(atEnd).toBeNull();
});

it('does not swing: from one second to the next a figure moves by a twelfth of itself at most', () => {
  const { seen } = watch(1);
  for (const [i, { shown }] of seen.entries()) {
    const before = seen[i - 1]?.shown;
    if (shown === null || before === null || before === undefined) continue;
    expect(Math.abs(shown - (before - 1))).toBeLessThan(Math.max(1, before / 12));
  }
});

it('knows from the first second where the machine was measured, and follows it when it is busier', () => {
  const expected = {
    ...{ 'reading photos': 0.05, 'building the network': 9, measuring: 0.4 },
    ...{ steps: 0.4, samples: 6, checkpoints: 0.4 },
  };
  const idle = watch(1, expected);
  expect(idle.seen[0]?.shown).toBeGreaterThan(0.9 * idle.all);
  expect(idle.seen[0]?.shown).toBeLessThan(1.1 * idle.all);
  const busy = watch(3, expected);
  const later = busy.seen.find(({ now }) => now > 0.25 * busy.all);
  expect(later?.shown).toBeGreaterThan(0.7 * (later?.left ?? NaN));
});

it('tells the share of the whole, which only grows and ends near 1', () => {
  const shares = watch(1).seen.flatMap(({ share }) => (share === null ? [] : [share]));
  expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0))).toBe(true);
  expect(shares[0]).toBeLessThan(0.2);
  expect(shares.at(-1)).toBeGreaterThan(0.97);
});

it('is not misled by a slow first step of pictures that are drawn together', () => {
  const estimate = new TimeLeft();
  estimate.plan([
    { label: 'opening the model', total: 1, weight: 0 },
    { label: 'pictures', total: 4, weight: 1 },
  ]);
  estimate.secondsLeft('opening the model', 0, 1, 0);
  estimate.secondsLeft('pictures', 0, 4, 1);
  // The first of 25 steps takes 9 s, the others 0.7 s.
  let now = 1;
  for (let step = 1; step <= 24; step += 1) {
    now += step === 1 ? 9 : 0.7;
    const shown = estimate.secondsLeft('pictures', (4 * step) / 25, 4, now);
    if (shown !== null) expect(shown).toBeLessThan(1.3 * 0.7 * (25 - step) + 1);
    if (step > 2) expect(shown).toBeGreaterThan(0.7 * 0.7 * (25 - step));
  }
});

it('forgets a first sample that was drawn while the machine was busy', () => {
  const estimate = new TimeLeft({ steps: 1, samples: 10 });
  estimate.plan([
    { label: 'steps', total: 80, weight: 1 },
    { label: 'samples', total: 5, weight: 10 },
  ]);
  let now = 0;
  estimate.secondsLeft('samples', 0, 5, now);
  estimate.secondsLeft('samples', 1, 5, (now += 250));
  for (let step = 1; step <= 40; step += 1) {
    estimate.secondsLeft('steps', step - 1, 80, now);
    estimate.secondsLeft('steps', step, 80, (now += 1));
    if (step % 20 === 0) {
      estimate.secondsLeft('samples', step / 20, 5, now);
      estimate.secondsLeft('samples', step / 20 + 1, 5, (now += 10));
    }
  }
  for (let look = 0; look < 20; look += 1) estimate.left((now += 0.2));
  // 40 steps and two samples.
  expect(estimate.left(now)).toBeLessThan(1.5 * 60);
});
