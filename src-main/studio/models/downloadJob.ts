import { existsSync } from 'node:fs';
import { catalogue } from '../../../src-shared/domain/catalogue.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { JobHandling } from '../../jobs/kind.ts';
import type { Surroundings } from '../context.ts';
import { hubAddress } from '../../features/download/hub.ts';
import { putModel } from './putModel.ts';

export interface DownloadInput {
  readonly repository: string;
  readonly revision: string;
  /** The person has agreed to this one. */
  readonly confirmed?: boolean;
  /** Use this machine's Hub login. */
  readonly login?: boolean;
}

/** Where a repository's model lies in the library. */
export function downloadPlace(repository: string): string {
  return `models/${repository.replace('/', '--')}`;
}

/** Fetches a model into the library, checks it like any other and puts it on the list. What was fetched stays for a retry. */
export function downloadJob(context: Surroundings): JobHandling<'download'> {
  const { library, emit } = context;
  const { settings, folder } = library;
  return {
    online: true,
    task: ({ input }) => {
      const { offline, downloads } = settings.get();
      const { repository, revision, confirmed = false, login = false } = input as DownloadInput;
      if (!confirmed && (offline || !downloads)) throw problem('download.off', {});
      return { hub: hubAddress(), repository, revision, login, out: folder.at(downloadPlace(repository)) };
    },
    event: ({ id }, event) => {
      if (event.type === 'file')
        emit('models.file', { jobId: id, file: event.file, done: event.done, total: event.total });
    },
    kept: ({ input }) => {
      const { repository } = input as DownloadInput;
      return existsSync(folder.at(downloadPlace(repository))) ? 'What has been fetched is kept' : undefined;
    },
    done: ({ input }, found) => {
      const { repository } = input as DownloadInput;
      const name = catalogue.find((entry) => entry.repository === repository)?.name;
      putModel(context, found, name ?? repository.split('/').at(-1) ?? repository);
    },
  };
}
