import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { readHubId, type HubId } from '../../../src-shared/domain/hubId.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { cacheFolder, givenPath, systemCache } from '../../places.ts';

/** Where the model is that a person named: a path, or the folder of a Hub id that is on this machine. Errors: `model.notHere`. */
export function modelPlace(word: string): string {
  const full = givenPath(word);
  if (existsSync(full)) return snapshotOf(full, 'main') ?? full;
  const id = readHubId(word);
  if (!id) return full;
  const found = placeOfId(id);
  const { repository, revision } = id;
  if (found === undefined)
    throw problem('model.notHere', { id: revision === 'main' ? repository : `${repository}@${revision}` });
  return found;
}

/** Whether something of this name is on this machine, as a path or a Hub id. */
export function isHere(word: string): boolean {
  const id = readHubId(word);
  return existsSync(givenPath(word)) || (id !== undefined && placeOfId(id) !== undefined);
}

/** A folder's only weights file, if the folder holds nothing else of use, as LoRAs on the Hub do; else the folder. */
export function onlyFileIn(place: string): string {
  const names = existsSync(place) && statSync(place).isDirectory() ? readdirSync(place) : [];
  const weights = names.filter((name) => /\.safetensors$/i.test(name));
  const [only] = weights;
  const known = names.some((name) =>
    /^(adapter_config\.json|pytorch_lora_weights\..*|run\.json|unet)$/.test(name),
  );
  return only !== undefined && weights.length === 1 && !known ? path.join(place, only) : place;
}

function placeOfId(id: HubId): string | undefined {
  const cached = path.join(hubCache(), `models--${id.repository.replace('/', '--')}`);
  return snapshotOf(cached, id.revision) ?? [downloadPlace(id)].find((place) => existsSync(place));
}

/** Folders of models from the Hub on this machine: all snapshots in its cache, and what `likeness download` fetched. */
export function* modelsOfHub(): Generator<string> {
  for (const folder of foldersIn(hubCache()))
    if (path.basename(folder).startsWith('models--')) yield* foldersIn(path.join(folder, 'snapshots'));
  yield* foldersIn(path.join(cacheFolder(), 'models'));
}

/** None where there is no such folder, or one that may not be read. */
function foldersIn(folder: string): string[] {
  return orNothing(() => readdirSync(folder).map((name) => path.join(folder, name))) ?? [];
}

/** Where `likeness download` puts a model. */
export function downloadPlace({ repository, revision }: HubId): string {
  return path.join(cacheFolder(), 'models', `${repository.replace('/', '--')}@${revision}`);
}

/** Where the Hub's own tools keep things (huggingface_hub's constants.py). */
export function hubHome(): string {
  const { HF_HOME } = process.env;
  return HF_HOME || path.join(systemCache() ?? path.join(homedir(), '.cache'), 'huggingface');
}

/** The cache that they share. */
export function hubCache(): string {
  return process.env['HF_HUB_CACHE'] || path.join(hubHome(), 'hub');
}

/** In a `models--…` folder, or its `snapshots`: the snapshot that a ref or a commit, or its beginning, names. */
function snapshotOf(place: string, revision: string): string | undefined {
  const folder = path.basename(place) === 'snapshots' ? path.dirname(place) : place;
  const snapshots = path.join(folder, 'snapshots');
  if (!path.basename(folder).startsWith('models--') || !existsSync(snapshots)) return undefined;
  const ref = path.join(folder, 'refs', revision);
  const commit = existsSync(ref) ? readFileSync(ref, 'utf8').trim() : revision;
  const name = readdirSync(snapshots).find((each) => each.startsWith(commit));
  return name === undefined ? undefined : path.join(snapshots, name);
}
