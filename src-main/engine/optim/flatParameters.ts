import { elementCount, type HostTensor, type Shape } from '../tensor/tensor.ts';

/** Parameters start at whole cache lines. */
const alignment = 16;

/** Elements from `start` to `end` (multiples of 16) learn at `rate` times the learning rate. */
export interface RatedPart {
  readonly start: number;
  readonly end: number;
  readonly rate: number;
}

/**
 * All trained parameters end to end in one array, and the same layout again for their gradients and each slot of the
 * optimizer. Graphs see views of it, the optimizer runs over it in chunks, a checkpoint writes it as it lies.
 */
export class FlatParameters {
  readonly length: number;
  private readonly places = new Map<string, { offset: number; end: number; shape: Shape }>();

  constructor(shapes: Iterable<readonly [name: string, shape: Shape]>) {
    let offset = 0;
    for (const [name, shape] of shapes) {
      const end = offset + Math.ceil(elementCount(shape) / alignment) * alignment;
      this.places.set(name, { offset, end, shape });
      offset = end;
    }
    this.length = offset;
  }

  get names(): string[] {
    return [...this.places.keys()];
  }

  /** The array in parts, one for each stretch of parameters of which `rateOf` says the same. */
  split(rateOf: (name: string) => number): RatedPart[] {
    const parts: RatedPart[] = [];
    for (const [name, { offset }] of this.places) {
      const rate = rateOf(name);
      const last = parts.at(-1);
      if (last?.rate === rate) continue;
      if (last) parts[parts.length - 1] = { ...last, end: offset };
      parts.push({ start: offset, end: this.length, rate });
    }
    return parts;
  }

  allocate(): Float32Array {
    return new Float32Array(this.length);
  }

  /** Errors: a name that is not trained is a fault of the program. */
  shape(name: string): Shape {
    return this.place(name).shape;
  }

  /** The parameter `name` of `array`, which has this layout; a view, not a copy. */
  view(array: Float32Array, name: string): HostTensor<'f32'> {
    const { offset, shape } = this.place(name);
    return { dtype: 'f32', shape, data: array.subarray(offset, offset + elementCount(shape)) };
  }

  /** Where the parameter `name` begins and, with the gap after it, ends. */
  place(name: string): { readonly offset: number; readonly end: number; readonly shape: Shape } {
    const place = this.places.get(name);
    if (!place) throw new Error(`${name} is not trained`);
    return place;
  }
}
