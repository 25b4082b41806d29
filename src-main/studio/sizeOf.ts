import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Bytes of a file, or of everything in a folder. */
export function sizeOf(place: string): number {
  const stats = statSync(place);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}
