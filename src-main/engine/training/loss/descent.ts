import type { Provider } from '../../../../src-shared/domain/providers.ts';
import { messages } from '../../../../src-shared/messages/index.ts';
import { isDeviceFailure, isOutOfMemory, tellFallBack } from '../../runtime/deviceErrors.ts';
import { providerNotice } from '../../runtime/notices.ts';
import type { LossOptions } from './gradients.ts';
import { waysOf, waysThatFit, type Way } from './waysThatFit.ts';

/**
 * What a run does by itself where a device has too little memory or fails: it computes in another way, and at last the CPU takes over.
 * All of it learns the same; what would not (a smaller size, a smaller model) is for the person to choose.
 */
export class Descent {
  /** The present way first. */
  private ways: readonly [Way, ...Way[]];
  private cpu = false;

  /** `cpuMayTakeOver`: the person left the choice of a provider to this program. */
  constructor(
    private readonly provider: Provider,
    loss: LossOptions,
    private readonly cpuMayTakeOver: boolean,
  ) {
    this.ways = waysOf(loss);
  }

  /** How the device is to compute now. */
  get way(): Way {
    return this.ways[0];
  }

  /** The CPU has taken over. */
  get onCpu(): boolean {
    return this.cpu;
  }

  /** Leaves out, with a sentence, the ways that do not fit into a WebGPU device by simulation. */
  async beginWithWhatFits(loss: LossOptions): Promise<void> {
    this.goOnWith(await waysThatFit(loss));
  }

  /** The next way after `error`, told to the person; throws the error when there is none. */
  next(error: unknown): void {
    if (!isDeviceFailure(error) || this.cpu) throw error;
    const [, second, ...others] = this.ways;
    if (isOutOfMemory(error) && second) this.goOnWith([second, ...others]);
    else if (this.cpuMayTakeOver) {
      tellFallBack(this.provider, error);
      this.cpu = true;
    } else throw error;
  }

  private goOnWith(ways: readonly [Way, ...Way[]]): void {
    const [[from], [to]] = [this.ways, ways];
    const { provider } = this;
    if (to.oneRow && !from.oneRow) providerNotice(messages['provider.byRow']({ provider }));
    if (to.frugal && !from.frugal) providerNotice(messages['provider.byBlock']({ provider }));
    this.ways = ways;
  }
}
