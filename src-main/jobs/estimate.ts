/** Seconds left at the pace since the first event of the same label. */
export class Estimate {
  private label: string | undefined;
  private total = 0;
  private from = { done: 0, at: 0 };

  secondsLeft(label: string, done: number, total: number, now = performance.now() / 1000): number | null {
    if (label !== this.label || total !== this.total || done < this.from.done) {
      this.label = label;
      this.total = total;
      this.from = { done, at: now };
    }
    const made = done - this.from.done;
    return made > 0 ? ((now - this.from.at) / made) * (total - done) : null;
  }
}
