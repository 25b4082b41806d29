import { existsSync, renameSync } from 'node:fs';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { HubId } from '../../../src-shared/domain/hubId.ts';
import { download } from './download.ts';
import { hubAddress } from './hub.ts';
import { downloadPlace } from './hubCache.ts';

/**
 * Downloads what a Hub id names to where `modelPlace` looks for it, unless it is there. Returns its folder. Errors: those of
 * `download`.
 */
export async function fetchModel(
  id: HubId & { readonly login: boolean },
  { report, signal }: JobContext,
): Promise<string> {
  const place = downloadPlace(id);
  if (existsSync(place)) return place;
  const request = { hub: hubAddress(), ...id, out: `${place}.part` };
  await download(request, {
    signal,
    report: (event) => {
      if (event.type !== 'file') report(event);
    },
  });
  renameSync(request.out, place);
  return place;
}
