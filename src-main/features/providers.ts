import { orNothing } from '../../src-shared/orNothing.ts';
import { makeFolders } from '../makeFolders.ts';
import type { JobEvent } from '../../src-shared/domain/jobEvents.ts';
import { keepHashesIn } from '../engine/checkpoints/contentHash.ts';
import { removeOldCopies } from '../engine/checkpoints/denseCopies.ts';
import { removeLeftovers } from '../engine/checkpoints/leftovers.ts';
import { onProviderNotice } from '../engine/runtime/notices.ts';
import { keepVerdictsIn } from '../engine/runtime/keptVerdicts.ts';
import { cacheFolder } from '../places.ts';

/**
 * Called first in a process that computes. Results about providers and large files are kept for the next process, and what people
 * should know about a provider (one was skipped, one failed) is reported as a warning. Returns a function that ends the reports.
 */
export function hearProviders(report: (event: JobEvent) => void): () => void {
  const cache = cacheFolder();
  tidy(cache);
  keepVerdictsIn(cache);
  keepHashesIn(cache);
  return onProviderNotice((message) => report({ type: 'warning', message }));
}

/** A cache that may not be read, or is no folder, is left as it is: most commands can do without. */
function tidy(cache: string): void {
  orNothing(() => {
    makeFolders(cache);
    removeLeftovers(cache);
    removeOldCopies();
  });
}
