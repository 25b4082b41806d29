import type { Provider } from '../../../../src-shared/domain/providers.ts';
import { messages } from '../../../../src-shared/messages/index.ts';
import { isDeviceFailure, isOutOfMemory, tellFallBack } from '../../runtime/deviceErrors.ts';
import { providerNotice } from '../../runtime/notices.ts';
import type { LossOptions, RowLoss } from '../loss/gradients.ts';
import { waysOf, waysThatFit, type Way } from './deviceFit.ts';
import type { Steps } from './steps.ts';

type Make = (loss: LossOptions) => Promise<Steps>;

/**
 * What a run does by itself where a device has too little memory or fails: it takes its steps in another way, and at last the CPU
 * takes over. All of it learns the same; what would not (a smaller size, a smaller model) is for the person to choose.
 */
export class Ladder {
  /** The present way first. */
  private ways: readonly Way[];
  private onCpu = false;

  /** `make`: steps of a loss on the device. `cpu`: where it may take over. */
  constructor(
    private readonly provider: Provider,
    private readonly loss: LossOptions,
    private readonly make: Make,
    private readonly cpu?: () => Promise<Steps>,
  ) {
    this.ways = waysOf(loss);
  }

  /** Whether the present steps are WebGPU's. */
  get onWebGPU(): boolean {
    return this.provider === 'webgpu' && !this.onCpu;
  }

  /** The first steps; `simulated`: in a way that is known to fit. */
  async begin(simulated: boolean): Promise<Steps> {
    if (simulated) this.goOnWith(await waysThatFit(this.loss));
    return this.again();
  }

  /** The present steps, made anew. */
  again(): Promise<Steps> {
    if (this.onCpu && this.cpu) return this.cpu();
    return this.inWay(this.ways[0]).catch((error: unknown) => this.next(error));
  }

  /** The steps that are taken after `error`, told to the person; throws it when there are none. */
  async next(error: unknown): Promise<Steps> {
    if (!isDeviceFailure(error) || this.onCpu) throw error;
    if (isOutOfMemory(error) && this.ways.length > 1) this.goOnWith(this.ways.slice(1));
    else if (this.cpu) {
      tellFallBack(this.provider, error);
      this.onCpu = true;
    } else throw error;
    return this.again();
  }

  private goOnWith(ways: readonly Way[]): void {
    const [[from], [to]] = [this.ways, ways];
    const { provider } = this;
    if (to?.oneRow && !from?.oneRow) providerNotice(messages['provider.byRow']({ provider }));
    if (to?.frugal && !from?.frugal) providerNotice(messages['provider.byBlock']({ provider }));
    this.ways = ways;
  }

  private async inWay({ oneRow = false, frugal = false }: Partial<Way> = {}): Promise<Steps> {
    const { byRow } = this.loss;
    if (!oneRow || !byRow) return this.make({ ...this.loss, frugal });
    const rows = byRow();
    return byRows(await this.make({ ...rows.options, frugal }), rows);
  }
}

/** Steps that take a batch's rows one after the other. */
function byRows(steps: Steps, { rows }: RowLoss): Steps {
  return {
    step: (batches, settings) => steps.step(batches.flatMap(rows), settings),
    measure: (batches) => steps.measure(batches.flatMap(rows)),
    follow: (average, decay) => steps.follow(average, decay),
    sync: () => steps.sync(),
    dispose: () => steps.dispose(),
  };
}
