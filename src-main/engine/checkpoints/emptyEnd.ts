import { withFile } from './files.ts';
import type { TensorEntry, Weights } from './weights.ts';

const pieceBytes = 1 << 20;
/** Fewer may be a tensor of zeros. */
const fewest = 64 << 10;

/**
 * Files of these weights that end in zeros, and how many bytes of them: programs that download or copy set aside a file's whole length
 * first, so one that was interrupted has its right size and no end.
 */
export function emptyEnds(weights: Weights): { readonly file: string; readonly bytes: number }[] {
  const files = new Set(weights.names().map((name) => (weights.get(name) as TensorEntry).file));
  return [...files].map((file) => ({ file, bytes: zerosAtEnd(file) })).filter(({ bytes }) => bytes >= fewest);
}

function zerosAtEnd(path: string): number {
  return withFile(path, (file) => {
    const { size } = file;
    for (let end = size; end > 0;) {
      const begin = Math.max(0, end - pieceBytes);
      const last = file.bytes(begin, end - begin).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return size - (begin + last + 1);
      end = begin;
    }
    return size;
  });
}
