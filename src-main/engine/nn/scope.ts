import { parameter } from '../graph/build.ts';
import type { Value } from '../graph/ops.ts';
import type { Shape } from '../tensor/tensor.ts';

/** How an adapter changes a weight; `adapters.ts` has the equations. */
export type AdapterMethod = 'lora' | 'dora' | 'loha' | 'lokr';

/** What adapters are made of: LoRA's matrices, DoRA's magnitudes, and the rest by LyCORIS' names. */
export const adapterTensors = [
  ...(['A', 'B', 'magnitude', 'hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b'] as const),
  ...(['lokr_w1', 'lokr_w2', 'lokr_w2_a', 'lokr_w2_b'] as const),
] as const;
export type AdapterTensor = (typeof adapterTensors)[number];

/** An adapter's tensors, or what is said of each, in the order above. */
export function tensorEntries<T>(values: Partial<Record<AdapterTensor, T>>): [AdapterTensor, T][] {
  return adapterTensors.flatMap((name): [AdapterTensor, T][] => {
    const value = values[name];
    return value === undefined ? [] : [[name, value]];
  });
}

/**
 * A change of one Linear or Conv, of low rank (Hu et al. 2021, LoRA) unless `method` says otherwise: `scale`·B·A is added to its weight.
 * `name` keeps several on one module apart. `scale` is weight·alpha/rank.
 */
export interface Adapter {
  readonly name: string;
  readonly method?: AdapterMethod;
  readonly rank: number;
  readonly scale: number;
}

export interface ScopeOptions {
  /** Adapters by full module name, as in "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q". */
  readonly adapters?: ReadonlyMap<string, readonly Adapter[]>;
  /** A scalar that all adapters' changes are multiplied by: at 0 the network is as it was without them. */
  readonly strength?: Value;
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

  get strength(): Value | undefined {
    return this.options.strength;
  }

  get adapters(): readonly Adapter[] {
    return this.options.adapters?.get(`${this.part}.${this.module}`) ?? [];
  }
}

/** PEFT's name of an adapter's tensor, below its module. */
export function loraName(tensor: AdapterTensor, adapter: string): string {
  if (tensor === 'A' || tensor === 'B') return `lora_${tensor}.${adapter}.weight`;
  return tensor === 'magnitude' ? `lora_magnitude_vector.${adapter}.weight` : `${tensor}.${adapter}`;
}
