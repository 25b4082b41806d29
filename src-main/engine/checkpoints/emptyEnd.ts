import { problem } from '../../../src-shared/messages/index.ts';
import { withFile } from './files.ts';
import type { SafetensorsFile } from './safetensors.ts';
import type { Weights } from './weights.ts';
import type { FileTensor } from '../tensor/tensor.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** Fewer may be a tensor of zeros. */
const fewest = 64 << 10;
/** Size of the blocks looked at: numbers that are zero by chance come in smaller groups. */
const blockBytes = 4 << 10;

/**
 * Programs that download or copy set aside a file's whole length first, so one that was interrupted has its right size, and zeros from
 * somewhere inside a tensor on. Tensors that are zero as a whole are nobody's fault: biases, a LoRA's B, new convolutions. Errors:
 * `weights.damaged`.
 */
export function refuseEmptyEnd({ file, tensors }: SafetensorsFile): void {
  const { zeros, begin } = emptyEnd(file);
  if (zeros < fewest) return;
  const all = [...tensors.values()];
  const isCut = all.some(
    ({ offset, byteLength }) => offset < begin && begin + blockBytes <= offset + byteLength,
  );
  const isMatrix = ({ offset, byteLength, shape }: FileTensor): boolean =>
    offset >= begin && byteLength > 0 && shape.length > 1;
  if (isCut && all.some(isMatrix))
    throw problem('weights.damaged', {
      file,
      why: `its last ${(zeros / 1e6).toFixed(1)} MB are zeros, as when a download or copy is interrupted`,
    });
}

/** Files of these weights that end in zeros which may be meant, and how many bytes of them. */
export function emptyEnds(weights: Weights): { readonly file: string; readonly bytes: number }[] {
  const files = new Set(weights.names().map((name) => entryOf(weights, name).file));
  return [...files]
    .map((file) => ({ file, bytes: emptyEnd(file).zeros }))
    .filter(({ bytes }) => bytes >= fewest);
}

/** How many zeros a file ends in, and the byte that they begin at. The first look is a short one: most files have none. */
function emptyEnd(path: string): { zeros: number; begin: number } {
  return withFile(path, (file) => {
    const { size } = file;
    let piece = fewest;
    for (let end = size; end > 0; piece = 4 << 20) {
      const begin = Math.max(0, end - piece);
      const last = file.bytes(begin, end - begin).findLastIndex((byte) => byte !== 0);
      if (last >= 0) return { zeros: size - (begin + last + 1), begin: begin + last + 1 };
      end = begin;
    }
    return { zeros: size, begin: 0 };
  });
}
