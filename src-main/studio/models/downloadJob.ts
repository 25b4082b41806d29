import { existsSync } from 'node:fs';
import * as z from 'zod';
import { catalogue } from '../../../src-shared/domain/catalogue.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { withInput, type JobHandling } from '../../jobs/kind.ts';
import type { Surroundings } from '../context.ts';
import { hubAddress } from '../../features/download/hub.ts';
import { putModel } from './putModel.ts';

const downloadInput = z.object({
  repository: z.string(),
  revision: z.string(),
  /** The person confirmed this download. */
  confirmed: z.boolean().optional(),
  /** Use this machine's Hub login. */
  login: z.boolean().optional(),
});
export type DownloadInput = z.infer<typeof downloadInput>;

/** Where a repository's model goes in the library. */
export function downloadPlace(repository: string): string {
  return `models/${repository.replace('/', '--')}`;
}

/** Fetches a model into the library, checks it like any other and puts it on the list. What was fetched stays for a retry. */
export function downloadJob(context: Surroundings): JobHandling<'download'> {
  const { library, emit } = context;
  const { settings, folder } = library;
  return withInput(downloadInput, {
    online: true,
    task: ({ input: { repository, revision, confirmed = false, login = false } }) => {
      const { offline, downloads } = settings.get();
      if (!confirmed && (offline || !downloads)) throw problem('download.off', {});
      return { hub: hubAddress(), repository, revision, login, out: folder.at(downloadPlace(repository)) };
    },
    event: ({ id }, event) => {
      if (event.type === 'file')
        emit('models.file', { jobId: id, file: event.file, done: event.done, total: event.total });
    },
    kept: ({ input: { repository } }) =>
      existsSync(folder.at(downloadPlace(repository))) ? 'What has been fetched is kept' : undefined,
    done: ({ input: { repository } }, found) => {
      const name = catalogue.find((entry) => entry.repository === repository)?.name;
      putModel(context, found, name ?? repository.split('/').at(-1) ?? repository);
    },
  });
}
