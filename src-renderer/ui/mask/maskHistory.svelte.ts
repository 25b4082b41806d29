import type { MaskStep } from './maskSteps.ts';

/** What was done to a mask since it was opened; can be undone and done again. */
export class MaskHistory {
  #all = $state.raw<readonly MaskStep[]>([]);
  #count = $state(0);

  /** In order, without those that were undone. */
  get steps(): readonly MaskStep[] {
    return this.#all.slice(0, this.#count);
  }

  get canUndo(): boolean {
    return this.#count > 0;
  }

  get canRedo(): boolean {
    return this.#count < this.#all.length;
  }

  add(step: MaskStep): void {
    this.#all = [...this.steps, step];
    this.#count = this.#all.length;
  }

  undo(): void {
    if (this.canUndo) this.#count -= 1;
  }

  redo(): void {
    if (this.canRedo) this.#count += 1;
  }
}
