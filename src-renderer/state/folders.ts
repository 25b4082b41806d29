import type { Output } from '../../src-shared/contract/index.ts';
import { request } from '../client/index.ts';
import { machine } from './machine.svelte.ts';
import { attempt } from './toasts.svelte.ts';

/** Lists a folder on the machine that computes. */
export function listFolder(path?: string, hidden = false): Promise<Output<'system.list'> | undefined> {
  return attempt(() => request('system.list', path === undefined ? { hidden } : { path, hidden }));
}

/** Opens the system's dialog; undefined in the browser, which has none for paths on this machine. */
export async function browse(what: 'photos' | 'folder' | 'model' | 'file'): Promise<string[] | undefined> {
  if (!machine.inApp) return undefined;
  const chosen = await attempt(() => request('system.browse', { what }));
  return chosen?.paths ?? [];
}
