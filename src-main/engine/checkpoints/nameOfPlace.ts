import path from 'node:path';

/**
 * The name of weights or a picture in what is shared with others: recipes, capsules, exports. Not a path, which would tell of this
 * machine. A checkpoint has its run's name too, a snapshot of the Hub its repository's.
 */
export function nameOfPlace(place: string): string {
  const parent = path.dirname(place);
  const above = path.basename(path.dirname(parent));
  if (path.basename(parent) === 'checkpoints') return `${above}/${path.basename(place)}`;
  if (path.basename(parent) === 'snapshots') return above.replace(/^models--/, '').replace('--', '/');
  return path.basename(place);
}
