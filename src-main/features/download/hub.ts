import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { LikenessError, problem } from '../../../src-shared/messages/index.ts';
import { loginHeader } from './login.ts';
import { mayPass, retryAfter, waitBefore } from './retry.ts';

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

/** Where models are fetched from: the Hugging Face Hub, or the address in the variable that its own tools read. */
export function hubAddress(): string {
  return (process.env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, '');
}

/** The commit that a revision stands for, and its files. Errors: `download.failed`, `download.refused`. */
export async function listHubFiles(
  hub: string,
  repository: string,
  revision: string,
  signal: AbortSignal,
  login?: string,
): Promise<{ commit: string; files: HubFile[] }> {
  const about = `${hub}/api/models/${repository}`;
  const read = <T>(schema: z.ZodType<T>, json: unknown): T => {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw problem('download.refused', {
      file: repository,
      why: 'the server that answered is not a Hub; check HF_ENDPOINT',
    });
  };
  const { sha: commit } = read(
    commitSchema,
    (await ask(`${about}/revision/${encodeURIComponent(revision)}`, repository, signal, login)).json,
  );
  const files: HubFile[] = [];
  let page: string | undefined = `${about}/tree/${commit}?recursive=true`;
  while (page !== undefined) {
    const { json, next } = await ask(page, repository, signal, login);
    for (const { type, path, size = 0, oid, lfs } of read(treeSchema, json))
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
  login: string | undefined,
): Promise<{ json: unknown; next: string | undefined }> {
  const refused = (why: string, cause?: unknown): Error =>
    problem('download.refused', { file: repository, why }, cause);
  const answer = await getFromHub(address, repository, signal, { login }).catch((cause: unknown) => {
    signal.throwIfAborted();
    if (cause instanceof LikenessError) throw cause;
    throw problem('download.failed', { file: repository, why: 'no connection to the Hub' }, cause);
  });
  const link = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  // A list is never continued on another host.
  const next = link !== undefined && new URL(link, address).origin === new URL(address).origin;
  return { json: await jsonOf(answer, refused), next: next ? new URL(link, address).href : undefined };
}

const maxAnswerBytes = 32e6;

/** The body of an answer; a network's sign-in page or an endless answer is an error. */
async function jsonOf(answer: Response, refused: (why: string, cause?: unknown) => Error): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > maxAnswerBytes) throw refused('the answer is far too long for a list of files');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  try {
    return JSON.parse(text);
  } catch (cause) {
    const isPage = /^\s*</.test(text);
    throw refused(
      isPage
        ? 'a web page answered in place of the Hub; sign in to this network, or check HF_ENDPOINT'
        : 'the server that answered is not a Hub; check HF_ENDPOINT',
      cause,
    );
  }
}

/**
 * Fetches an answer without an error; a busy server is asked again when it says so. Errors: `download.refused`, `download.wantsLogin`,
 * `download.wantsConsent`, with `file`.
 */
export async function getFromHub(
  address: string,
  file: string,
  signal: AbortSignal,
  { login, from = 0 }: { readonly login?: string | undefined; readonly from?: number } = {},
): Promise<Response> {
  const headers = { ...loginHeader(address, login), ...(from > 0 && { Range: `bytes=${from}-` }) };
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(address, { signal, headers });
    if (answer.ok) return answer;
    await answer.body?.cancel();
    const pause = mayPass(answer.status) ? waitBefore(attempt) : undefined;
    if (pause === undefined) throw refusal(answer, address, file, login !== undefined);
    await wait(retryAfter(answer.headers.get('retry-after')) ?? pause, undefined, { signal });
  }
}

/** What the Hub's refusal means. It answers 401 also for a name that does not exist; a header tells which. */
function refusal({ status, headers }: Response, address: string, file: string, loggedIn: boolean): Error {
  const code = headers.get('x-error-code');
  const [, id = file] = /^(?:\/api\/models)?\/([^/]+\/[^/]+)\//.exec(new URL(address).pathname) ?? [];
  const refused = (why: string): Error => problem('download.refused', { file, why });
  if (code === 'RepoNotFound')
    return loggedIn
      ? refused('there is no such repository, or your login does not reach it; check the name')
      : problem('download.wantsLogin', { file, id, why: 'there is no such repository, or it is private' });
  if (code === 'RevisionNotFound')
    return refused('it has no such branch, tag or commit; check what follows the @');
  if (code === 'GatedRepo' || status === 403)
    return loggedIn
      ? refused(
          "its owner asks for consent first; open its page on the Hub, accept the terms with this login's account, and try again",
        )
      : problem('download.wantsConsent', { file, id });
  if (status === 401)
    return loggedIn
      ? refused('the Hub does not know this login; log in anew with: hf auth login')
      : problem('download.wantsLogin', {
          ...{ file, id, why: 'there is no such repository, or its owner asks for a login' },
        });
  if (status === 404) return refused('it is not there; check the name');
  return refused(`the Hub answered ${status}; try again later`);
}
