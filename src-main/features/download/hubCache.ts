import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { cacheFolder } from '../../places.ts';

/** A model of the Hub: "owner/name", and a branch, tag or commit. */
export interface HubId {
  readonly repository: string;
  readonly revision: string;
}

/** Reads `owner/name` or `owner/name@revision`; undefined for anything else. */
export function readHubId(word: string): HubId | undefined {
  const [, repository, revision = 'main'] =
    /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@(\w[\w.-]*))?$/.exec(word) ?? [];
  return repository === undefined ? undefined : { repository, revision };
}

/** Where a person's word for a model leads: a path, a folder of the Hub's cache, or a Hub id that is here. Errors: `model.notHere`. */
export function modelPlace(word: string): string {
  const full = path.resolve(word);
  if (existsSync(full)) return snapshotOf(full, 'main') ?? full;
  const id = readHubId(word);
  if (!id) return full;
  const cached = path.join(hubCache(), `models--${id.repository.replace('/', '--')}`);
  const found = snapshotOf(cached, id.revision) ?? [downloadPlace(id)].find((place) => existsSync(place));
  if (found === undefined) throw problem('model.notHere', { id: word });
  return found;
}

/** Where `likeness download` puts a model. */
export function downloadPlace({ repository, revision }: HubId): string {
  return path.join(cacheFolder(), 'models', `${repository.replace('/', '--')}@${revision}`);
}

/** The cache that the Hub's own tools share (huggingface_hub's constants.py). */
function hubCache(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME ?? path.join(XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE ?? path.join(home, 'hub');
}

/** In a `models--…` folder: the snapshot that a ref or a commit, or its beginning, names. */
function snapshotOf(folder: string, revision: string): string | undefined {
  const snapshots = path.join(folder, 'snapshots');
  if (!path.basename(folder).startsWith('models--') || !existsSync(snapshots)) return undefined;
  const ref = path.join(folder, 'refs', revision);
  const commit = existsSync(ref) ? readFileSync(ref, 'utf8').trim() : revision;
  const name = readdirSync(snapshots).find((each) => each.startsWith(commit));
  return name === undefined ? undefined : path.join(snapshots, name);
}
