import type { JobEvent } from '../../src-shared/domain/jobEvents.ts';
import { keepHashesIn } from '../engine/checkpoints/contentHash.ts';
import { onProviderNotice } from '../engine/runtime/notices.ts';
import { keepVerdictsIn } from '../engine/runtime/verdictFile.ts';
import { cacheFolder } from '../places.ts';

/**
 * What a process that computes does first: what is found out about providers and large files is kept for the next one, and what
 * people should know of a provider (one passed over, one that failed) is reported as a warning. Returns what ends that.
 */
export function hearProviders(report: (event: JobEvent) => void): () => void {
  keepVerdictsIn(cacheFolder());
  keepHashesIn(cacheFolder());
  return onProviderNotice((message) => report({ type: 'warning', message }));
}
