import { join } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { FileEvent } from '../../../src-shared/domain/workerMessages.ts';
import { makeRoom } from '../../engine/checkpoints/files.ts';
import { fetchFile } from './fetchFile.ts';
import { listHubFiles } from './hub.ts';
import { hubLogin } from './login.ts';
import { wantedFiles } from './wantedFiles.ts';

export interface DownloadRequest {
  readonly hub: string;
  /** "owner/name" */
  readonly repository: string;
  readonly revision: string;
  /** The model's folder; complete files there are not fetched again. */
  readonly out: string;
  /** Use this machine's login. */
  readonly login?: boolean;
}

interface DownloadContext extends Omit<JobContext, 'report'> {
  readonly report: (event: Parameters<JobContext['report']>[0] | FileEvent) => void;
}

/**
 * Downloads a model, a LoRA or a network that scores pictures from the Hub into a folder. Errors: `download.…`, those of
 * `fetchFile`.
 */
export async function download(
  { hub, repository, revision, out, login: loggedIn = false }: DownloadRequest,
  { report, signal }: DownloadContext,
): Promise<{ path: string; commit: string }> {
  const login = loggedIn ? hubLogin() : undefined;
  const { commit, files } = await listHubFiles(hub, repository, revision, signal, login);
  const wanted = wantedFiles(repository, files);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  await makeRoom(out, total);

  for (const { path, size } of wanted) report({ type: 'file', file: path, done: 0, total: size });
  let before = 0;
  for (const file of wanted) {
    await fetchFile(
      `${hub}/${repository}/resolve/${commit}/${file.path}`,
      file,
      join(out, ...file.path.split('/')),
      (done) => {
        report({ type: 'file', file: file.path, done, total: file.size });
        report({ type: 'progress', done: before + done, total, label: 'bytes' });
      },
      signal,
      login,
    );
    before += file.size;
  }
  return { path: out, commit };
}
