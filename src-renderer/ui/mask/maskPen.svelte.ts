import type { MaskHistory } from './maskHistory.svelte.ts';
import { boxBetween, type Box, type MaskStep, type MaskTool, type Point } from './maskSteps.ts';

export interface PenOptions {
  readonly tool: MaskTool;
  readonly erase: boolean;
  /** The brush's diameter in pixels of the photo. */
  readonly size: number;
}

const ways: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));

/** What a pointer or the keyboard draws on a mask, until it becomes a step of the history. */
export class MaskPen {
  #live = $state.raw<MaskStep>();
  #at = $state.raw<Point>([0, 0]);
  #grabbed = $state(false);
  #start: Point = [0, 0];

  constructor(
    private readonly photo: { readonly width: number; readonly height: number },
    private readonly history: MaskHistory,
    private readonly options: () => PenOptions,
  ) {
    this.#at = [photo.width / 2, photo.height / 2];
  }

  /** What is being drawn and is no step yet. */
  get live(): MaskStep | undefined {
    return this.#live;
  }

  /** Where the brush or the lasso is. */
  get at(): Point {
    return this.#at;
  }

  /** A pointer is drawing. */
  get grabbed(): boolean {
    return this.#grabbed;
  }

  /** The tool follows a point; the others make shapes. */
  get pointed(): boolean {
    const { tool } = this.options();
    return tool === 'brush' || tool === 'lasso';
  }

  take(at: Point): void {
    this.settle();
    this.#grabbed = true;
    this.#at = this.#start = at;
    this.#live = this.pointed ? this.#line([at]) : undefined;
  }

  drag(points: readonly Point[]): void {
    this.#at = points.at(-1) ?? this.#at;
    if (!this.#grabbed) return;
    this.#live = this.pointed
      ? this.#line([...this.#points(), ...points])
      : this.#shape(boxBetween(this.#start, this.#at));
  }

  drop(): void {
    if (!this.#grabbed) return;
    this.#grabbed = false;
    this.#apply();
  }

  /** Forgets what is being drawn. */
  cancel(): void {
    this.#grabbed = false;
    this.#live = undefined;
  }

  /** What the keyboard has drawn so far becomes a step: something else is done now. */
  settle(): void {
    if (!this.#grabbed) this.#apply();
  }

  /** Makes a step of what is being drawn, unless it is nothing. */
  #apply(): void {
    const step = this.#live;
    this.#live = undefined;
    if (!step) return;
    if ('box' in step && Math.min(step.box.width, step.box.height) < this.#short / 200) return;
    if (step.kind === 'lasso' && step.points.length < 3) return;
    this.history.add(step);
  }

  /** True when the key meant something. One that is held goes faster. */
  key({ key, shiftKey, repeat }: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'repeat'>): boolean {
    const way = ways[key];
    const step = Math.max(1, this.#short / (repeat ? 40 : 80));
    if (way && this.pointed) this.#movePoint(way[0] * step, way[1] * step, shiftKey);
    else if (way) this.#moveShape(way[0] * step, way[1] * step, shiftKey);
    else if (key === 'Enter' || key === ' ') this.#confirm();
    else if (key === 'Escape' && this.#live) this.cancel();
    else return false;
    return true;
  }

  /** The line that Shift and arrows drew is one step. */
  lift(): void {
    if (this.options().tool === 'brush') this.settle();
  }

  get #short(): number {
    return Math.min(this.photo.width, this.photo.height);
  }

  #points(): readonly Point[] {
    return this.#live && 'points' in this.#live ? this.#live.points : [];
  }

  #line(points: readonly Point[]): MaskStep {
    const { tool, erase, size } = this.options();
    return tool === 'brush' ? { kind: 'brush', erase, size, points } : { kind: 'lasso', erase, points };
  }

  #shape(box: Box): MaskStep {
    const { tool, erase } = this.options();
    return { kind: tool === 'rectangle' ? 'rectangle' : 'ellipse', erase, box };
  }

  /** A shape for the keyboard to begin with. */
  #middle(): MaskStep {
    const { width, height } = this.photo;
    return this.#shape({ x: width / 4, y: height / 4, width: width / 2, height: height / 2 });
  }

  #moveShape(dx: number, dy: number, resize: boolean): void {
    if (!this.#live || !('box' in this.#live)) {
      this.#live = this.#middle();
      return;
    }
    const { x, y, width, height } = this.#live.box;
    if (!resize) {
      this.#live = this.#shape({ x: x + dx, y: y + dy, width, height });
      return;
    }
    // Around its middle, so that it stays where it was put.
    const [wider, higher] = [Math.max(2, width + 2 * dx), Math.max(2, height + 2 * dy)];
    this.#live = this.#shape({
      ...{ x: x - (wider - width) / 2, y: y - (higher - height) / 2 },
      ...{ width: wider, height: higher },
    });
  }

  #movePoint(dx: number, dy: number, draws: boolean): void {
    const [x, y] = this.#at;
    this.#at = [within(x + dx, this.photo.width), within(y + dy, this.photo.height)];
    const points = this.#points();
    if (this.options().tool === 'brush') {
      if (draws) this.#live = this.#line([...(points.length > 0 ? points : [[x, y] as const]), this.#at]);
      // The lasso's last point goes with the arrows until Enter sets it.
    } else if (this.#live) this.#live = this.#line([...points.slice(0, -1), this.#at]);
  }

  #confirm(): void {
    const { tool } = this.options();
    if (tool === 'brush') {
      this.#apply();
      this.history.add(this.#line([this.#at]));
    } else if (tool !== 'lasso') {
      if (this.#live) this.#apply();
      else this.#live = this.#middle();
    } else {
      const points = this.#points();
      const [x, y] = points.at(-2) ?? [NaN, NaN];
      if (x === this.#at[0] && y === this.#at[1]) this.#apply();
      else this.#live = this.#line(points.length > 0 ? [...points, this.#at] : [this.#at, this.#at]);
    }
  }
}
