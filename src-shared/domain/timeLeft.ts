/** Weight of the newest pace; the pace of the last few steps counts, and one slow step hardly does. */
const newest = 0.2;

/**
 * Seconds left of a phase, from its smoothed pace; `now` is in seconds of any clock. A phase that is over has none: another one may follow that nobody has measured, and
 * "1 s left" before minutes of work helps nobody.
 */
export class TimeLeft {
  private label: string | undefined;
  private total = 0;
  private last = { done: 0, at: 0 };
  /** Seconds for one. */
  private pace: number | undefined;

  secondsLeft(label: string, done: number, total: number, now: number): number | null {
    if (label !== this.label || total !== this.total || done < this.last.done) {
      this.label = label;
      this.total = total;
      this.pace = undefined;
      this.last = { done, at: now };
    }
    const made = done - this.last.done;
    if (made > 0) {
      const pace = (now - this.last.at) / made;
      // What came at once counts together: 1 − (1 − newest)^made of the whole.
      const weight = 1 - (1 - newest) ** made;
      this.pace = this.pace === undefined ? pace : this.pace + weight * (pace - this.pace);
      this.last = { done, at: now };
    }
    if (done >= total || this.pace === undefined) return null;
    // Time that passes without news is time that is gone, unless the step takes longer than all before it.
    const sinceNews = Math.min(now - this.last.at, this.pace);
    return Math.max(0, this.pace * (total - done) - sinceNews);
  }
}
