import { mul, parameter } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import type { Shape } from '../tensor/tensor.ts';

/**
 * A low-rank change of one Linear or Conv (Hu et al. 2021, LoRA): `scale`·B·A is added to its weight. `name` tells several on one
 * module apart. `scale` is weight·alpha/rank.
 */
export interface Adapter {
  readonly name: string;
  readonly rank: number;
  readonly scale: number;
}

export interface ScopeOptions {
  /** Adapters by module name, as in "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q". */
  readonly adapters?: ReadonlyMap<string, readonly Adapter[]>;
  /** Called once for each weight that is asked for. */
  readonly onWeight?: (name: string, shape: Shape) => void;
}

/**
 * A place in a network's tree of modules: hands out its weights by diffusers' names. A whole network's parameters are
 * prefixed with its part ("unet.conv_in.weight"), so that several networks fit into one graph.
 */
export class Scope {
  private constructor(
    private readonly part: string,
    /** Dotted path of this place, without the part. */
    readonly module: string,
    private readonly options: ScopeOptions,
    private readonly made: Map<string, Value>,
  ) {}

  static root(part: string, options: ScopeOptions = {}): Scope {
    return new Scope(part, '', options, new Map());
  }

  at(...names: (string | number)[]): Scope {
    const module = [...(this.module ? [this.module] : []), ...names].join('.');
    return new Scope(this.part, module, this.options, this.made);
  }

  /** The same place, with the same weights, in the network as it is without adapters. */
  get untaught(): Scope {
    const { adapters: _, ...options } = this.options;
    return new Scope(this.part, this.module, options, this.made);
  }

  /** The parameter `name` of this module; the same value however often it is asked for. */
  weight(name: string, shape: Shape): Value {
    const full = `${this.part}.${this.module}.${name}`;
    const known = this.made.get(full);
    if (known) return known;
    const value = parameter(full, shape);
    this.options.onWeight?.(full, shape);
    this.made.set(full, value);
    return value;
  }

  get adapters(): readonly Adapter[] {
    return this.options.adapters?.get(this.module) ?? [];
  }

  /** `base` plus what each adapter adds: `up(down(x, A), B)` times its scale. `shapeA`, `shapeB` are the shapes for a rank. */
  adapted(
    base: Value,
    shapes: (rank: number) => { a: Shape; b: Shape },
    delta: (a: Value, b: Value) => Value,
    add: (x: Value, y: Value) => Value,
  ): Value {
    return this.adapters.reduce((sum, { name, rank, scale }) => {
      const { a, b } = shapes(rank);
      const up = this.weight(loraName('B', name), b);
      // The matrix is scaled, not the result: it is a hundred times smaller.
      return add(sum, delta(this.weight(loraName('A', name), a), scale === 1 ? up : mul(up, scale)));
    }, base);
  }
}

/** PEFT's name of an adapter's matrix, below its module. */
export function loraName(matrix: 'A' | 'B', adapter: string): string {
  return `lora_${matrix}.${adapter}.weight`;
}
