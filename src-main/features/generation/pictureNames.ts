import { readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Names for new pictures in `folder`: a number that continues from the folder's last (so that they sort in order and none is
 * overwritten), words of the prompt, and the seed: `0007-a-dog-in-the-snow-42.png`.
 */
export class PictureNames {
  private next: number;

  constructor(private readonly folder: string) {
    const numbers = readdirSync(folder).map((name) => Number(/^(\d+)-.*\.png$/i.exec(name)?.[1] ?? 0));
    this.next = numbers.reduce((most, number) => Math.max(most, number), 0) + 1;
  }

  /** The path of the next picture. */
  take(prompt: string, seed: number): string {
    const number = String(this.next++).padStart(4, '0');
    return path.join(this.folder, [number, ...words(prompt), `${seed}.png`].join('-'));
  }
}

/** The prompt's first words, of any script, in about 40 characters: file names have a limit in bytes. */
function words(prompt: string): string[] {
  const all = prompt.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  let length = 0;
  return all
    .map((word) => [...word].slice(0, 40).join(''))
    .filter((word) => (length += word.length + 1) <= 41);
}
