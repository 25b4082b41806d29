import { messages } from '../../../src-shared/messages/index.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { isOutOfMemory } from '../runtime/deviceErrors.ts';
import { graphicsDevices } from '../runtime/graphicsDevice.ts';
import { providerNotice } from '../runtime/notices.ts';
import type { HostTensor } from '../tensor/tensor.ts';
import { rowsOf, stack } from './batches.ts';

type Floats = HostTensor<'f32'>;

/** Bytes of memory that a device is taken to have where the system does not tell. */
const commonMemory = 8 * 2 ** 30;

/** Bytes of the device's memory, or what it is taken to have. */
export const deviceMemory = async (): Promise<number> => (await graphicsDevices())[0]?.memory ?? commonMemory;

/**
 * Share of a device's memory up to which rows of a batch are computed together, and two U-Nets lie there side by side. One row or U-Net
 * at a time takes little longer, and the rest is for other programs.
 */
export const share = 1 / 4;
/** Share up to which several U-Nets lie there together. */
export const together = 0.9;

/** How a network is called with some rows of a batch, each tensor's first axis. */
export interface Calls<F> {
  /** Of the device's memory, for a call. */
  readonly share: number;
  /** Bytes that a call takes on the device, simulated. */
  readonly bytesOf: (some: F) => number;
  /** `canAskForLess`: too little memory is an error even where the CPU could take over. */
  readonly run: (some: F, canAskForLess: boolean) => Promise<Floats>;
  /** Makes room after a call that was short of memory. */
  readonly release: () => Promise<void>;
}

/** Batches on a device, as many rows at a time as its memory allows. A row's result depends on the others only by rounding. */
export class BatchInParts {
  /** Rows at a time, by the shapes of the whole batch. */
  private readonly rows = new Map<string, number>();

  constructor(private readonly provider: Provider) {}

  async call<F extends Readonly<Record<string, Floats>>>(feeds: F, calls: Calls<F>): Promise<Floats> {
    const key = [calls.share, ...Object.values(feeds).map(({ shape }) => shape.join())].join(';');
    const batch = Object.values(feeds)[0]?.shape[0] ?? 1;
    const memory = await deviceMemory();
    const bytesOf = (count: number): number => calls.bytesOf(some(feeds, 0, count));
    const rows = this.rows.get(key) ?? rowsThatFit(batch, calls.share * memory, bytesOf);
    this.rows.set(key, rows);
    try {
      return await inParts(feeds, batch, rows, (part) => calls.run(part, rows > 1));
    } catch (error) {
      if (rows === 1 || !isOutOfMemory(error)) throw error;
      providerNotice(messages['provider.byPicture']({ provider: this.provider }));
      this.rows.set(key, 1);
      await calls.release();
      return inParts(feeds, batch, 1, (part) => calls.run(part, false));
    }
  }
}

/** Rows of a batch, a divisor of it, that are computed together in `most` bytes. */
export function rowsThatFit(batch: number, most: number, bytesOf: (rows: number) => number): number {
  for (let rows = batch; rows > 1; rows--) if (batch % rows === 0 && bytesOf(rows) <= most) return rows;
  return 1;
}

async function inParts<F extends Readonly<Record<string, Floats>>>(
  feeds: F,
  batch: number,
  rows: number,
  run: (part: F) => Promise<Floats>,
): Promise<Floats> {
  if (rows === batch) return run(feeds);
  const results: Floats[] = [];
  for (let from = 0; from < batch; from += rows) results.push(await run(some(feeds, from, from + rows)));
  return stack(results);
}

function some<F extends Readonly<Record<string, Floats>>>(feeds: F, from: number, to: number): F {
  const entries = Object.entries(feeds).map(([name, tensor]) => [name, rowsOf(tensor, from, to)]);
  return Object.fromEntries(entries) as F;
}
