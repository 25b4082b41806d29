import { orNothing } from '../../../src-shared/orNothing.ts';
import { makeFolders } from '../../makeFolders.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { statOrNothing } from '../../engine/checkpoints/files.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { cacheFolder } from '../../places.ts';

const noteOf = (hash: string): string => path.join(cacheFolder(), 'places', hash);

/** Remembers where on this machine the weights of this hash are, for recipes that name them by it. */
export function rememberPlace(hash: string, place: string): void {
  if (placeOf(hash) === place) return;
  // Without the note, a person must say where the weights are.
  orNothing(() => {
    makeFolders(path.dirname(noteOf(hash)));
    writeAtomically(noteOf(hash), () => [Buffer.from(place)]);
  });
}

/** Where weights of this hash were last seen, if anything is still there. */
export function placeOf(hash: string): string | undefined {
  // The hash is from a picture, which may be anybody's.
  if (!/^[0-9a-f]{16,64}$/.test(hash)) return undefined;
  return orNothing(() => {
    const place = readFileSync(noteOf(hash), 'utf8');
    return statOrNothing(place) && place;
  });
}
