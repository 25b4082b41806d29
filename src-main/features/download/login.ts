import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { hubHome } from './hubCache.ts';

/** The Hub login of this machine, where the Hub's own tools keep it (huggingface_hub's `get_token`). Errors: `download.noLogin`. */
export function hubLogin(): string {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH } = process.env;
  const file = HF_TOKEN_PATH ?? path.join(hubHome(), 'token');
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const login = [HF_TOKEN, HUGGING_FACE_HUB_TOKEN, kept].map((each) => each?.trim()).find(Boolean);
  if (login === undefined) throw problem('download.noLogin', { file });
  return login;
}

/**
 * The header that carries a login. `fetch` drops it where a redirect leads to another host, as the Hub's own for large files do.
 * Errors: `download.openLogin` for a Hub that is reached without encryption.
 */
export function loginHeader(address: string, login: string | undefined): Record<string, string> {
  if (login === undefined) return {};
  const { protocol, hostname } = new URL(address);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !isHere) throw problem('download.openLogin', { host: hostname });
  return { authorization: `Bearer ${login}` };
}
