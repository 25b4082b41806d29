import type { Provider } from '../../../../src-shared/domain/providers.ts';
import { Descent } from '../loss/descent.ts';
import type { LossOptions, RowLoss } from '../loss/gradients.ts';
import type { Steps } from './steps.ts';

type Make = (loss: LossOptions) => Promise<Steps>;

/** Steps on a device, made in the way that its memory allows (`Descent`). */
export class Ladder {
  private readonly descent: Descent;

  /** `make`: steps of a loss on the device. `cpu`: where it may take over. */
  constructor(
    private readonly provider: Provider,
    private readonly loss: LossOptions,
    private readonly make: Make,
    private readonly cpu?: () => Promise<Steps>,
  ) {
    this.descent = new Descent(provider, loss, cpu !== undefined);
  }

  /** Whether the present steps are WebGPU's. */
  get onWebGPU(): boolean {
    return this.provider === 'webgpu' && !this.descent.onCpu;
  }

  /** The first steps; `simulated`: in a way that is known to fit. */
  async begin(simulated: boolean): Promise<Steps> {
    if (simulated) await this.descent.beginWithWhatFits(this.loss);
    return this.again();
  }

  /** The present steps, made anew. */
  again(): Promise<Steps> {
    if (this.descent.onCpu && this.cpu) return this.cpu();
    return this.inWay().catch((error: unknown) => this.next(error));
  }

  /** The steps that are taken after `error`; throws it when there are none. */
  async next(error: unknown): Promise<Steps> {
    this.descent.next(error);
    return this.again();
  }

  private async inWay(): Promise<Steps> {
    const { oneRow, frugal } = this.descent.way;
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
