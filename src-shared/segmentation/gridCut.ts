/** The eight neighbours of a pixel as [dx, dy], each beside its opposite: 0 and 1, 2 and 3, … */
export const neighbours = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [-1, -1],
  [1, -1],
  [-1, 1],
] as const;

const across = Int8Array.from(neighbours, ([dx]) => dx);
const down = Int8Array.from(neighbours, ([, dy]) => dy);

const none = -1;
/** Parents that are no direction. */
const terminal = 8;
const orphan = 9;
const [free, source, sink] = [0, 1, 2] as const;

/**
 * The least cut of a grid whose pixels are joined to their eight neighbours and to two terminals (Boykov & Kolmogorov 2004, "An Experimental
 * Comparison of Min-Cut/Max-Flow Algorithms", with the time stamps and distances of their own implementation).
 */
export class GridCut {
  private readonly count: number;
  private readonly offsets: readonly number[];
  /** What may still flow from a pixel in a direction, direction by direction. */
  private readonly residual: Float32Array;
  /** Above 0 from the source, below 0 to the sink. */
  private readonly terminals: Float32Array;
  private readonly tree: Uint8Array;
  private readonly parent: Int8Array;
  private readonly stamp: Int32Array;
  private readonly distance: Int32Array;
  private readonly isActive: Uint8Array;
  private active: number[] = [];
  private orphans: number[] = [];
  private time = 0;

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    const count = width * height;
    this.count = count;
    this.offsets = neighbours.map(([dx, dy]) => dy * width + dx);
    this.residual = new Float32Array(8 * count);
    this.terminals = new Float32Array(count);
    this.tree = new Uint8Array(count);
    this.parent = new Int8Array(count).fill(none);
    this.stamp = new Int32Array(count);
    this.distance = new Int32Array(count);
    this.isActive = new Uint8Array(count);
  }

  /** What separates a pixel from the source's side costs `toSource`, and from the sink's `toSink`. */
  setTerminals(pixel: number, toSource: number, toSink: number): void {
    this.terminals[pixel] = toSource - toSink;
  }

  /** What it costs to separate a pixel from its neighbour in an even direction; both ways. The neighbour must be in the grid. */
  join(pixel: number, direction: number, cost: number): void {
    this.residual[direction * this.count + pixel] = cost;
    this.residual[(direction ^ 1) * this.count + pixel + (this.offsets[direction] as number)] = cost;
  }

  /** 1 for each pixel on the source's side. */
  solve(): Uint8Array {
    for (let pixel = 0; pixel < this.count; pixel++) {
      const flow = this.terminals[pixel] as number;
      if (flow === 0) continue;
      this.tree[pixel] = flow > 0 ? source : sink;
      this.parent[pixel] = terminal;
      this.distance[pixel] = 1;
      this.activate(pixel);
    }
    let current = none;
    for (;;) {
      if (current === none || this.parent[current] === none) current = this.next();
      if (current === none) break;
      const met = this.grow(current);
      this.time++;
      if (met === none) {
        current = none;
        continue;
      }
      this.augment(met);
      this.adopt();
    }
    return this.tree.map((side) => (side === source ? 1 : 0));
  }

  private activate(pixel: number): void {
    if (this.isActive[pixel]) return;
    this.isActive[pixel] = 1;
    this.active.push(pixel);
  }

  private at = 0;
  private next(): number {
    while (this.at < this.active.length) {
      const pixel = this.active[this.at++] as number;
      if (this.at > 65_536) {
        this.active = this.active.slice(this.at);
        this.at = 0;
      }
      this.isActive[pixel] = 0;
      if (this.parent[pixel] !== none) return pixel;
    }
    return none;
  }

  /** Takes free neighbours into a pixel's tree; returns the arc, as pixel · 8 + direction, where the trees meet, seen from the source's. */
  private grow(pixel: number): number {
    const side = this.tree[pixel] as number;
    const x = pixel % this.width;
    const y = (pixel - x) / this.width;
    for (let direction = 0; direction < 8; direction++) {
      const other = this.neighbour(x, y, direction);
      if (other === none) continue;
      const flows =
        side === source
          ? (this.residual[direction * this.count + pixel] as number)
          : (this.residual[(direction ^ 1) * this.count + other] as number);
      if (flows <= 0) continue;
      if (this.tree[other] === free) {
        this.tree[other] = side;
        this.parent[other] = direction ^ 1;
        this.stamp[other] = this.stamp[pixel] as number;
        this.distance[other] = (this.distance[pixel] as number) + 1;
        this.activate(other);
      } else if (this.tree[other] !== side)
        return side === source ? pixel * 8 + direction : other * 8 + (direction ^ 1);
      else if (
        (this.stamp[other] as number) <= (this.stamp[pixel] as number) &&
        (this.distance[other] as number) > (this.distance[pixel] as number) &&
        this.parent[other] !== orphan
      ) {
        this.parent[other] = direction ^ 1;
        this.stamp[other] = this.stamp[pixel] as number;
        this.distance[other] = (this.distance[pixel] as number) + 1;
      }
    }
    return none;
  }

  private neighbour(x: number, y: number, direction: number): number {
    const column = x + (across[direction] as number);
    const row = y + (down[direction] as number);
    return column < 0 || row < 0 || column >= this.width || row >= this.height
      ? none
      : row * this.width + column;
  }

  /** Sends what the path through an arc lets through; what is full behind that has lost its parent. */
  private augment(arc: number): void {
    const { residual, count, parent, terminals, offsets } = this;
    const [from, direction] = [arc >> 3, arc & 7];
    const to = from + (offsets[direction] as number);
    let least = residual[direction * count + from] as number;
    for (let pixel = from; ;) {
      const up = parent[pixel] as number;
      if (up === terminal) {
        least = Math.min(least, terminals[pixel] as number);
        break;
      }
      const above = pixel + (offsets[up] as number);
      least = Math.min(least, residual[(up ^ 1) * count + above] as number);
      pixel = above;
    }
    for (let pixel = to; ;) {
      const up = parent[pixel] as number;
      if (up === terminal) {
        least = Math.min(least, -(terminals[pixel] as number));
        break;
      }
      least = Math.min(least, residual[up * count + pixel] as number);
      pixel += offsets[up] as number;
    }
    this.push(from, direction, least);
    for (let pixel = from; ;) {
      const up = parent[pixel] as number;
      if (up === terminal) {
        terminals[pixel] = (terminals[pixel] as number) - least;
        if ((terminals[pixel] as number) <= 0) this.orphaned(pixel);
        break;
      }
      const above = pixel + (offsets[up] as number);
      if (this.push(above, up ^ 1, least)) this.orphaned(pixel);
      pixel = above;
    }
    for (let pixel = to; ;) {
      const up = parent[pixel] as number;
      if (up === terminal) {
        terminals[pixel] = (terminals[pixel] as number) + least;
        if ((terminals[pixel] as number) >= 0) this.orphaned(pixel);
        break;
      }
      const below = pixel + (offsets[up] as number);
      if (this.push(pixel, up, least)) this.orphaned(pixel);
      pixel = below;
    }
  }

  /** Sends so much along an arc; whether that fills it. */
  private push(pixel: number, way: number, flow: number): boolean {
    const there = way * this.count + pixel;
    const back = (way ^ 1) * this.count + pixel + (this.offsets[way] as number);
    const left = (this.residual[there] as number) - flow;
    this.residual[there] = left;
    this.residual[back] = (this.residual[back] as number) + flow;
    return left <= 0;
  }

  private orphaned(pixel: number): void {
    this.parent[pixel] = orphan;
    this.orphans.push(pixel);
  }

  /** Finds a new parent for each orphan, or sets it free with those below it. */
  private adopt(): void {
    while (this.orphans.length > 0) this.settle(this.orphans.pop() as number);
  }

  private settle(pixel: number): void {
    const { parent, tree, stamp, distance } = this;
    const side = tree[pixel] as number;
    const x = pixel % this.width;
    const y = (pixel - x) / this.width;
    let best = none;
    let shortest = Infinity;
    for (let direction = 0; direction < 8; direction++) {
      const other = this.neighbour(x, y, direction);
      if (other === none || tree[other] !== side || parent[other] === none) continue;
      if (!this.carries(pixel, other, direction)) continue;
      const far = this.distanceToTerminal(other);
      if (far < shortest) {
        best = direction;
        shortest = far;
      }
    }
    if (best !== none) {
      parent[pixel] = best;
      stamp[pixel] = this.time;
      distance[pixel] = shortest + 1;
      return;
    }
    parent[pixel] = none;
    for (let direction = 0; direction < 8; direction++) {
      const other = this.neighbour(x, y, direction);
      if (other === none || tree[other] !== side || parent[other] === none) continue;
      if (this.carries(pixel, other, direction)) this.activate(other);
      if (parent[other] === (direction ^ 1)) this.orphaned(other);
    }
    tree[pixel] = free;
  }

  /** Whether flow can come along (source), or go along (sink), the arc from a pixel to its neighbour. */
  private carries(pixel: number, other: number, direction: number): boolean {
    const arc =
      this.tree[pixel] === source ? (direction ^ 1) * this.count + other : direction * this.count + pixel;
    return (this.residual[arc] as number) > 0;
  }

  /** Steps up to the terminal; infinite where they end in an orphan. What was walked is stamped, so that it is not walked again. */
  private distanceToTerminal(start: number): number {
    const { parent, stamp, distance, offsets, time } = this;
    let steps = 0;
    let pixel = start;
    for (;;) {
      if (stamp[pixel] === time) {
        steps += distance[pixel] as number;
        break;
      }
      const up = parent[pixel] as number;
      steps++;
      if (up === terminal) {
        stamp[pixel] = time;
        distance[pixel] = 1;
        break;
      }
      if (up === orphan || up === none) return Infinity;
      pixel += offsets[up] as number;
    }
    let left = steps;
    for (pixel = start; stamp[pixel] !== time; pixel += offsets[parent[pixel] as number] as number) {
      stamp[pixel] = time;
      distance[pixel] = left--;
    }
    return steps;
  }
}
