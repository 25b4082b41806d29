import { add, concat, constant, mul, parameter, reshape, slice, square, sum } from '../../graph/build.ts';
import { leaves, type Graph } from '../../graph/graph.ts';
import { replaced } from '../../graph/hostPart.ts';
import type { Value } from '../../graph/ops.ts';
import type { FlatParameters } from '../../optim/flatParameters.ts';
import type { Pack } from '../../optim/packs.ts';
import { Session } from '../../runtime/session.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { elementCount, f32 } from '../../tensor/tensor.ts';
import {
  formOf,
  stepGraph,
  type Feeds,
  type LossOptions,
  type Losses,
  type Preparation,
} from './gradients.ts';
import { entryOf } from '../../../../src-shared/entryOf.ts';

type Buffers = readonly Tensor[];

/** The step's graph over packs: "pack.0" … in place of the trained parameters, "gradient.pack.0" … and the sum of their squares as outputs. */
export function packedStep(step: Graph, layout: FlatParameters, packs: readonly Pack[]): Graph {
  const parameters = leaves(step, 'parameter');
  const known = new Map<Value, Value>();
  for (const { name, length, parameters: own } of packs) {
    const whole = parameter(name, [length]);
    for (const { name: one, offset } of own) {
      const value = entryOf(parameters, one);
      const end = offset + elementCount(value.shape);
      known.set(value, reshape(slice(whole, 0, offset, end), value.shape));
    }
  }
  const { outputs } = replaced(step, known);
  const gradients = packs.map(({ name, parameters: own }) => {
    const parts = own.flatMap(({ name: one }) => {
      const { offset, end, shape } = layout.place(one);
      const count = elementCount(shape);
      const flat = reshape(outputs[`gradient.${one}`] as Value, [count]);
      const gap = end - offset - count;
      return gap ? [flat, constant(f32([gap]))] : [flat];
    });
    // The product makes an output that is not just another name of an input.
    return [`gradient.${name}`, parts.length === 1 ? mul(parts[0] as Value, 1) : concat(parts, 0)] as const;
  });
  const squares = gradients.map(([, gradient]) => sum(square(gradient))).reduce((a, b) => add(a, b));
  const others = Object.entries(outputs).filter(([name]) => !name.startsWith('gradient.'));
  return { outputs: { ...Object.fromEntries(others), squares, ...Object.fromEntries(gradients) } };
}

/** A loss with its backward pass on a WebGPU device: gradients stay there, the losses and their norm's square come back. */
export class DeviceGradients {
  private constructor(
    private readonly session: Session,
    private readonly packs: readonly Pack[],
    private readonly names: readonly string[],
    private readonly preparation: Preparation | undefined,
  ) {}

  /** Errors: those of `Session.compile` for a provider that was named. */
  static async create(
    options: LossOptions,
    layout: FlatParameters,
    packs: readonly Pack[],
  ): Promise<DeviceGradients> {
    const { metrics = {}, weights, preparation, profileTo } = options;
    const trained = new Set(options.trained);
    const isFed = (name: string): boolean => trained.has(name) || name.startsWith('pack.');
    const form = await formOf('webgpu', options);
    const step = stepGraph({ ...options, ...form });
    const session = await Session.compile(packedStep(step, layout, packs), {
      provider: 'webgpu',
      ...(profileTo && { profileTo }),
      ...(form.storedIn && { storedIn: form.storedIn }),
      weights: (name) => (isFed(name) ? undefined : weights(name)),
    });
    try {
      const prepared = await preparation?.({ provider: 'webgpu', form, idleBytes: 0 });
      return new DeviceGradients(session, packs, ['loss', ...Object.keys(metrics)], prepared);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  /** Writes the gradient of one batch at `parameters` to `into`. */
  async one(
    batch: Feeds,
    parameters: Buffers,
    into: Buffers,
  ): Promise<{ readonly losses: Losses; readonly squares: number }> {
    const given = Object.fromEntries(
      Object.entries(batch).map(([name, tensor]) => [name, Tensor.from(tensor)]),
    );
    const more = (await this.preparation?.prepare(given, new Float32Array())) ?? {};
    const named = (buffers: Buffers, prefix = ''): Record<string, Tensor> =>
      Object.fromEntries(this.packs.map(({ name }, i) => [`${prefix}${name}`, buffers[i] as Tensor]));
    const results = await this.session.run(
      { ...given, ...more, ...named(parameters) },
      named(into, 'gradient.'),
    );
    for (const tensor of Object.values(more)) tensor.dispose();
    const number = (name: string): number => (results[name] as Tensor).host.data[0] as number;
    return {
      losses: Object.fromEntries(this.names.map((name) => [name, number(name)])),
      squares: number('squares'),
    };
  }

  endProfile(): void {
    this.session.endProfile();
  }

  async dispose(): Promise<void> {
    await this.session.dispose();
    await this.preparation?.dispose();
  }
}
