import type { Graph } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import { f32, type HostTensor } from '../tensor/tensor.ts';
import { messages, problem } from '../../../src-shared/messages/index.ts';
import { deviceProblem, isOutOfMemory, tellFallBack } from './deviceErrors.ts';
import { execution, release, stoppersError, type CompileOptions, type Execution } from './execution.ts';
import { providerNotice } from './notices.ts';
import type { HalfType, Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider, ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { providerMissing } from './providers.ts';
import { Tensor } from './tensor.ts';
import type { TrialOpener } from './trial.ts';
import type { Verdict } from './verdict.ts';
import { chosenProvider, verdictOn } from './chooseProvider.ts';

export type { CompileOptions } from './execution.ts';

type Tensors = Readonly<Record<string, Tensor>>;

/** A graph, ready to run on one provider. `run` blocks its thread: long work belongs in a worker process. */
export class Session {
  private constructor(
    private execution: Execution,
    /** Prepares the same graph on the CPU, where `auto` may fall back to it. */
    private readonly onCpu?: () => Promise<Execution>,
    private readonly canAskForLess = false,
  ) {}

  get provider(): Provider {
    return this.execution.provider;
  }

  /** The names to feed: inputs, and parameters without a stored weight. */
  get inputs(): readonly string[] {
    const { session, before } = this.execution;
    if (!before) return session.inputNames;
    const computed = new Set(before.outputNames);
    return [...new Set([...session.inputNames.filter((name) => !computed.has(name)), ...before.inputNames])];
  }

  /**
   * Verifies the graph and hands it to ONNX Runtime. A provider other than the CPU is tried first, once per device and driver.
   * Errors: `provider.missing`, `provider.wrong`, `provider.unusable` and `provider.outOfMemory` for one that was named; `auto`
   * goes on with the CPU, but where the caller can ask for less memory.
   */
  static async compile(graph: Graph, options: CompileOptions = {}): Promise<Session> {
    verify(graph);
    const choice = options.provider ?? 'cpu';
    const onCpu = (): Promise<Execution> => execution('cpu', graph, options);
    if (choice === 'cpu') return new Session(await onCpu());
    const verdict = await (choice === 'auto' ? chosenProvider(openTrial) : verdictOn(choice, openTrial));
    if (!verdict) return new Session(await onCpu());
    const { provider, state } = verdict;
    if (state === 'absent') throw providerMissing(provider, new Error(verdict.why));
    if (state === 'wrong') throw problem('provider.wrong', { provider });
    if (state !== 'right') throw problem('provider.unusable', { provider, why: verdict.why });
    try {
      const made = await execution(provider, graph, options, verdict.fusedAttention);
      return new Session(made, choice === 'auto' ? onCpu : undefined, options.canAskForLess);
    } catch (error) {
      if (choice !== 'auto' || (options.canAskForLess && isOutOfMemory(error)))
        throw deviceProblem(provider, error);
      tellFallBack(provider, error);
      return new Session(await onCpu());
    }
  }

  /** A graph on a device, without a trial of its provider. */
  static async untried(
    provider: Provider,
    graph: Graph,
    fusedAttention = false,
    options: CompileOptions = {},
  ): Promise<Session> {
    return new Session(await execution(provider, graph, options, fusedAttention));
  }

  /**
   * One run. Outputs are fresh tensors, except those given in `into`, whose memory is written, on CPU also when it is
   * an elementwise graph's own input (in place). Where `auto` chose a device that fails, the CPU does it again and goes on.
   * Errors: `provider.failed`, `provider.outOfMemory`.
   */
  async run(feeds: Tensors, into?: Tensors): Promise<Record<string, Tensor>> {
    try {
      return await this.once(feeds, into);
    } catch (error) {
      const { provider } = this.execution;
      if (provider === 'cpu' || error instanceof NotGiven) throw error;
      const stuck = [...Object.values(feeds), ...Object.values(into ?? {})].some((tensor) => tensor.onDevice);
      if (!this.onCpu || stuck || (this.canAskForLess && isOutOfMemory(error)))
        throw deviceProblem(provider, error);
      tellFallBack(provider, error);
      await release(this.execution).catch(() => undefined);
      this.execution = await this.onCpu();
      return this.once(feeds, into);
    }
  }

  private async once(feeds: Tensors, into?: Tensors): Promise<Record<string, Tensor>> {
    const { session, before } = this.execution;
    const early = await before?.run(pick(feeds, before.inputNames));
    const named = pick(feeds, session.inputNames, early);
    const results = into ? await this.runInto(named, into) : await session.run(named);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, into?.[name] ?? new Tensor(tensor)]),
    );
  }

  private async runInto(
    named: Record<string, Tensor['ort']>,
    into: Tensors,
  ): Promise<Record<string, Tensor['ort']>> {
    const { session, outputShapes } = this.execution;
    const given = session.outputNames.map((name) => [name, into[name]?.ort ?? null] as const);
    if (!outputShapes) return session.run(named, Object.fromEntries(given));
    const fresh = Object.entries(outputShapes).filter(([name]) => !into[name]);
    const own = fresh.map(([name, shape]) => [name, Tensor.from(f32(shape)).ort] as const);
    const places = Object.fromEntries([...given, ...own]);
    try {
      await session.run(named, places);
    } catch (error) {
      if (!String(error).includes(stoppersError)) throw error;
    }
    return Object.fromEntries(Object.entries(places).filter(([, place]) => place)) as Record<
      string,
      Tensor['ort']
    >;
  }

  /** As `run`, from and to host memory. */
  async runHost(feeds: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, Tensor.from(tensor)]),
    );
    const results = await this.run(given);
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.host]));
  }

  /** Ends what `profileTo` began: its file is complete. */
  endProfile(): void {
    this.execution.session.endProfiling();
  }

  async dispose(): Promise<void> {
    await release(this.execution);
  }
}

const openTrial: TrialOpener = (provider, graph, { weights, fusedAttention }) =>
  Session.untried(provider, graph, fusedAttention, { weights });

/** Whether a provider works here and gives the CPU's numbers; tried once. */
export const examine = (provider: Provider, precision: Precision = 'f32'): Promise<Verdict> =>
  verdictOn(provider, openTrial, precision);

/** What `auto` means on this machine. */
export async function automaticProvider(): Promise<Provider> {
  return (await chosenProvider(openTrial))?.provider ?? 'cpu';
}

/** The provider that a choice means on this machine. */
export async function providerFor(choice: ProviderChoice): Promise<Provider> {
  return choice === 'auto' ? automaticProvider() : choice;
}

/**
 * What a network is to be computed in: as asked, where a trial of it comes out right on the provider that `choice` stands for; else f32,
 * with a sentence. The CPU computes in f32 by itself, and slowly in anything else: only where both were named.
 */
export async function precisionOn(choice: ProviderChoice, asked: Precision): Promise<Precision> {
  if (asked === 'f32') return asked;
  const provider = await providerFor(choice);
  if (provider === 'cpu' && choice === 'auto') {
    providerNotice(messages['provider.cpuPrecision']({ precision: asked }));
    return 'f32';
  }
  const verdict = await verdictOn(provider, openTrial, asked);
  if (verdict.state === 'right') return asked;
  const why = verdict.state === 'wrong' ? 'its numbers are off' : verdict.why;
  providerNotice(messages['provider.precision']({ provider, precision: asked, why }));
  return 'f32';
}

/** What a network is computed in, and what its weights are kept in on a device, where that is another type. */
export interface Form {
  readonly computes: Precision;
  readonly storedIn?: HalfType;
}

/**
 * `precisionOn`, and for what is to be `exact` too: WebGPU's kernels sum up in the type of their operands, which is too coarse where a
 * result is the difference of two nearly equal ones. There 16 bits are for the weights alone (docs/gpu.md tells what that changes).
 */
export async function formOn(choice: ProviderChoice, asked: Precision, exact: boolean): Promise<Form> {
  const computes = await precisionOn(choice, asked);
  if (computes === 'f32' || !exact || (await providerFor(choice)) !== 'webgpu') return { computes };
  return { computes: 'f32', storedIn: computes };
}

class NotGiven extends Error {}

/** What a session is fed: `early`, and the caller's. */
function pick(
  feeds: Tensors,
  names: readonly string[],
  early: Readonly<Record<string, Tensor['ort']>> = {},
): Record<string, Tensor['ort']> {
  const entries = names.map((name) => {
    const tensor = early[name] ?? feeds[name]?.ort;
    if (!tensor) throw new NotGiven(`input ${name} was not given`);
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries);
}
