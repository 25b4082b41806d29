import type { Phase } from './jobEvents.ts';

/** What a report still counts once the next one is there: the last few make the pace, and a single slow one hardly matters. */
const memory = 0.9;
/** Share of a plan's heaviest phase after which its pace predicts the rest. */
const enough = 0.02;
/** Share by which a figure may change per second, so that it approaches a new estimate instead of jumping. */
const haste = 0.08;

interface Work extends Phase {
  /** `done`: units done in all; `made`: units that were watched, in `seconds`. */
  done: number;
  made: number;
  seconds: number;
  /** Units and seconds of the last few reports, the newest counting most. */
  recent: { made: number; seconds: number };
  reports: number;
  begun: boolean;
}

/**
 * Seconds left of a task, over all the phases of its plan: phases that were seen by their own pace, the others by their relative
 * weight, or by `expected` (seconds of one unit, by label) where all were measured before. Without a plan, only the present phase
 * counts. `now` is in seconds of any clock.
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

  /** Records the progress of `label` and returns the seconds left. A phase's first report tells where it begins. */
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
      work.reports += 1;
      // The first unit also pays for what is set up once, so it stops counting as soon as there is another.
      const kept = work.reports === 2 ? 0 : memory;
      work.recent = {
        made: kept * work.recent.made + made,
        seconds: kept * work.recent.seconds + seconds,
      };
      work.made += made;
      work.seconds += seconds;
    }
    Object.assign(work, { done, total, begun: true });
    this.present = work;
    this.lastNews = now;
    return this.left(now);
  }

  /** Seconds left; null while unknown, and when nothing is left. */
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

  /** Share of the whole that is done, 0…1, never less than before; null while unknown. */
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
    // Time without reports still counts down, unless this unit takes longer than all before it.
    const present = this.present ? this.secondsForOne(this.present, scale) : 0;
    return Math.max(0, left - Math.min(now - this.lastNews, present));
  }

  /** Seconds per unit of weight: from what was seen, and at first from what was expected. */
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
    const known =
      heaviest &&
      (this.planned ? heaviest.reports > 1 && heaviest.made >= enough * heaviest.total : heaviest.made > 0);
    return known && seen > 0 ? seconds / seen : null;
  }

  private get isMeasured(): boolean {
    return this.planned && this.phases.every(({ label, weight }) => weight === 0 || label in this.expected);
  }

  private weightOf({ label, weight }: Work): number {
    return this.isMeasured ? (this.expected[label] ?? 0) : weight;
  }

  private secondsForOne(work: Work, scale: number): number {
    const { made, seconds } = work.recent;
    return made > 0 ? seconds / made : scale * this.weightOf(work);
  }
}

function begin(phase: Phase): Work {
  return {
    ...phase,
    done: 0,
    made: 0,
    seconds: 0,
    recent: { made: 0, seconds: 0 },
    reports: 0,
    begun: false,
  };
}
