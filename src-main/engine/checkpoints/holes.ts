import { problem } from '../../../src-shared/messages/index.ts';

const blockBytes = 4 << 10;
const block = Buffer.alloc(blockBytes);
/** Programs that download pieces side by side take larger ones, and no trained matrix has as many zeros in a row. */
const fewest = 1 << 20;

/**
 * Looks for zeros inside a tensor, whose bytes it is shown from the first to the last, in pieces of whole blocks. Zeros at a file's end are for
 * `refuseEmptyEnd`.
 */
export class Holes {
  private row = 0;
  private longest = 0;
  private isZero = true;

  look(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const piece = bytes.subarray(at, at + blockBytes);
      const empty = Buffer.compare(piece, block.subarray(0, piece.length)) === 0;
      // Zeros at its end are rows that somebody added, as where a vocabulary was padded.
      if (!empty) this.longest = Math.max(this.longest, this.row);
      this.row = empty ? this.row + piece.length : 0;
      this.isZero &&= empty;
    }
  }

  /** A tensor that is zero as a whole is nobody's fault. Errors: `weights.damaged`. */
  refuse(tensor: string, file: string): void {
    if (this.isZero || this.longest < fewest) return;
    const why = `${(this.longest / 1e6).toFixed(1)} MB inside "${tensor}" are zeros, as when a piece of a download is missing`;
    throw problem('weights.damaged', { file, why });
  }
}
