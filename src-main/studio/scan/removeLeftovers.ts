import { opendir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isLeftover } from '../../engine/checkpoints/leftovers.ts';

/** Removes what killed processes left half-written anywhere in `folder`. */
export async function removeLeftovers(folder: string, signal?: AbortSignal): Promise<void> {
  const entries = await opendir(folder, { bufferSize: 256 }).catch(() => undefined);
  if (!entries) return;
  for await (const entry of entries) {
    if (signal?.aborted) return;
    const inside = path.join(folder, entry.name);
    if (isLeftover(entry.name)) await rm(inside, { recursive: true, force: true }).catch(() => undefined);
    else if (entry.isDirectory()) await removeLeftovers(inside, signal);
  }
}
