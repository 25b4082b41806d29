import type { Phase } from './jobEvents.ts';

/** Weight of the newest pace; the pace of the last few counts, and one slow step hardly does. */
const newest = 0.2;
/** Share of a plan's heaviest phase from which on its pace tells how long the rest takes. */
const enough = 0.02;
/** How much of its length a figure may change in a second: it moves towards a new estimate and does not leap. */
const haste = 0.08;

interface Work extends Phase {
  /** `done` is where it stands, `made` what of it was seen being made, in `seconds`. */
  done: number;
  made: number;
  seconds: number;
  /** Seconds for one, smoothed. */
  pace?: number;
  begun: boolean;
}

/**
 * Seconds left of a task, over all the phases of its plan: those that were seen go by their own pace, the others by what they weigh
 * against them, or by what was `expected` (seconds for one, by label) where all were measured before. Without a plan the present phase
 * is all there is. `now` is in seconds of any clock.
 */
export class TimeLeft {
  private phases: readonly Work[] = [];
  private planned = false;
  private present: Work | undefined;
  private lastNews = 0;
  private shown: { readonly left: number; readonly at: number } | undefined;
  private mostDone = 0;

  constructor(private readonly expected: Readonly<Record<string, number>> = {}) {}

  plan(phases: readonly Phase[]): void {
    this.phases = phases.map(begin);
    this.planned = true;
    this.shown = undefined;
  }

  /** Takes note of what `label` has done, and says what is left. A phase's first word tells where it begins. */
  secondsLeft(label: string, done: number, total: number, now: number): number | null {
    let work = this.phases.find((one) => one.label === label);
    if (!work || (!this.planned && (total !== work.total || done < work.done))) {
      work = begin({ label, total, weight: this.planned ? 0 : 1 });
      this.phases = this.planned ? [...this.phases, work] : [work];
      if (!this.planned) this.shown = undefined;
    }
    const made = work.begun ? Math.max(0, done - work.done) : 0;
    if (made > 0) {
      const seconds = now - this.lastNews;
      // What came at once counts together: 1 − (1 − newest)^made of the whole.
      const weight = 1 - (1 - newest) ** made;
      work.pace = work.pace === undefined ? seconds / made : mix(work.pace, seconds / made, weight);
      work.made += made;
      work.seconds += seconds;
    }
    Object.assign(work, { done, total, begun: true });
    this.present = work;
    this.lastNews = now;
    return this.left(now);
  }

  /** Seconds left; null while they cannot be told, and when nothing is left. */
  left(now: number): number | null {
    const estimate = this.estimate(now);
    if (estimate === null) return null;
    const passed = this.shown ? now - this.shown.at : 0;
    const foreseen = Math.max(0, (this.shown?.left ?? estimate) - passed);
    const most = haste * passed * Math.max(foreseen, 5);
    const left = foreseen + Math.min(most, Math.max(-most, estimate - foreseen));
    this.shown = { left: this.shown ? left : estimate, at: now };
    return this.shown.left;
  }

  /** How much of the whole is done, 0…1, never less than before; null while it cannot be told. */
  share(now: number): number | null {
    const left = this.left(now);
    if (left === null) return null;
    const scale = this.scale() ?? 0;
    const done = this.phases.reduce((sum, work) => sum + work.done * this.secondsForOne(work, scale), 0);
    this.mostDone = Math.max(this.mostDone, done + left > 0 ? done / (done + left) : 0);
    return this.mostDone;
  }

  private estimate(now: number): number | null {
    const scale = this.scale();
    if (scale === null || this.phases.every(({ done, total }) => done >= total)) return null;
    const left = this.phases.reduce(
      (sum, work) => sum + Math.max(0, work.total - work.done) * this.secondsForOne(work, scale),
      0,
    );
    // Time that passes without news is time that is gone, unless this one takes longer than all before it.
    const present = this.present ? this.secondsForOne(this.present, scale) : 0;
    return Math.max(0, left - Math.min(now - this.lastNews, present));
  }

  /** Seconds for a unit of weight: of what was seen, and at first of what was expected. */
  private scale(): number | null {
    const weigh = (count: (work: Work) => number): number =>
      this.phases.reduce((sum, work) => sum + count(work) * this.weightOf(work), 0);
    const seen = weigh(({ made }) => made);
    const seconds = this.phases.reduce((sum, work) => sum + (this.weightOf(work) > 0 ? work.seconds : 0), 0);
    if (this.isMeasured) {
      const trust = enough * weigh(({ total }) => total);
      return trust > 0 ? (trust + seconds) / (trust + seen) : null;
    }
    const [heaviest] = [...this.phases].sort((a, b) => b.total * b.weight - a.total * a.weight);
    const known = heaviest && heaviest.made >= (this.planned ? enough * heaviest.total : Number.EPSILON);
    return known && seen > 0 ? seconds / seen : null;
  }

  private get isMeasured(): boolean {
    return this.planned && this.phases.every(({ label, weight }) => weight === 0 || label in this.expected);
  }

  private weightOf({ label, weight }: Work): number {
    return this.isMeasured ? (this.expected[label] ?? 0) : weight;
  }

  private secondsForOne(work: Work, scale: number): number {
    return work.pace ?? scale * this.weightOf(work);
  }
}

function begin(phase: Phase): Work {
  return { ...phase, done: 0, made: 0, seconds: 0, begun: false };
}

function mix(old: number, fresh: number, weight: number): number {
  return old + weight * (fresh - old);
}
