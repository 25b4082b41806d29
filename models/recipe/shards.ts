import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { side } from './modelConfig.ts';

export interface Captioned {
  readonly captions: readonly string[];
  /** The place's name in `scenes.ts`. */
  readonly scene?: string;
}

const pictureBytes = side * side * 3;

/** The rendered pictures as they lie on disk: `images-NNN.bin`, [n,128,128,3] bytes, with `captions-NNN.jsonl` beside. */
export class Pictures {
  readonly captions: Captioned[] = [];
  private readonly shards: { readonly descriptor: number; readonly count: number }[] = [];

  constructor(folder: string) {
    for (let index = 0; ; index++) {
      const number = String(index).padStart(3, '0');
      const images = join(folder, `images-${number}.bin`);
      const captions = join(folder, `captions-${number}.jsonl`);
      if (!existsSync(images) || !existsSync(captions)) break;
      const lines = readFileSync(captions, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Captioned);
      const count = Math.min(lines.length, Math.floor(statSync(images).size / pictureBytes));
      this.shards.push({ descriptor: openSync(images, 'r'), count });
      this.captions.push(...lines.slice(0, count));
    }
    if (this.captions.length === 0) throw new Error(`${folder} holds no pictures; run makeData.ts first`);
  }

  get count(): number {
    return this.captions.length;
  }

  /** Bytes of picture `index`, [128,128,3]. */
  bytes(index: number): Uint8Array {
    let at = index;
    for (const { descriptor, count } of this.shards) {
      if (at < count) {
        const bytes = new Uint8Array(pictureBytes);
        readSync(descriptor, bytes, 0, pictureBytes, at * pictureBytes);
        return bytes;
      }
      at -= count;
    }
    throw new Error(`there is no picture ${index}`);
  }

  /** A square of picture `index` as [3,size,size] in −1…1, mirrored on request. */
  crop(index: number, size: number, [left, top]: readonly [number, number], mirror: boolean): Float32Array {
    const bytes = this.bytes(index);
    const values = new Float32Array(3 * size * size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const from = ((top + y) * side + left + (mirror ? size - 1 - x : x)) * 3;
        for (let c = 0; c < 3; c++)
          values[(c * size + y) * size + x] = (bytes[from + c] as number) / 127.5 - 1;
      }
    }
    return values;
  }

  close(): void {
    for (const { descriptor } of this.shards) closeSync(descriptor);
  }
}
