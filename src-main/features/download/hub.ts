import { z } from 'zod';
import { problem } from '../../../src-shared/messages/index.ts';

/** A file of a repository, and what its bytes must hash to. */
export interface HubFile {
  /** Seen from the repository, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly value: string };
}

const commitSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const treeSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().min(0).optional(),
    oid: z.string(),
    lfs: z.object({ oid: z.string(), size: z.int().min(0) }).optional(),
  }),
);

/** Where models are fetched from: the Hugging Face Hub, or what its own tools' variable names. */
export function hubAddress(): string {
  return (process.env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, '');
}

/** The commit that a revision stands for, and its files. Errors: `download.failed`. */
export async function listHubFiles(
  hub: string,
  repository: string,
  revision: string,
  signal: AbortSignal,
): Promise<{ commit: string; files: HubFile[] }> {
  const about = `${hub}/api/models/${repository}`;
  const { sha: commit } = commitSchema.parse(
    (await ask(`${about}/revision/${encodeURIComponent(revision)}`, repository, signal)).json,
  );
  const files: HubFile[] = [];
  let page: string | undefined = `${about}/tree/${commit}?recursive=true`;
  while (page !== undefined) {
    const { json, next } = await ask(page, repository, signal);
    for (const { type, path, size = 0, oid, lfs } of treeSchema.parse(json))
      if (type === 'file')
        files.push({
          path,
          size: lfs?.size ?? size,
          hash: lfs ? { kind: 'sha256', value: lfs.oid } : { kind: 'git', value: oid },
        });
    page = next;
  }
  return { commit, files };
}

async function ask(
  address: string,
  repository: string,
  signal: AbortSignal,
): Promise<{ json: unknown; next: string | undefined }> {
  const failed = (why: string, cause?: unknown): Error =>
    problem('download.failed', { file: repository, why }, cause);
  const answer = await fetch(address, { signal }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw failed('no connection to the Hub', cause);
  });
  if (!answer.ok) throw failed(refusal(answer.status));
  const link = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  // Another host has no say in what is listed.
  const next = link !== undefined && new URL(link, address).origin === new URL(address).origin;
  return { json: await answer.json(), next: next ? new URL(link, address).href : undefined };
}

export function refusal(status: number): string {
  if (status === 401 || status === 403)
    return 'its owner asks for a login; fetch it with another program and import it';
  if (status === 404) return 'it is not there';
  return `the Hub answered ${status}`;
}
