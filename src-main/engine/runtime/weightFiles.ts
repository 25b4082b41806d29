import { parse, relative, resolve } from 'node:path';
import type { ExternalTensor } from '../onnx/model.ts';
import type { FileTensor } from '../tensor/tensor.ts';

/**
 * The weights that a model in memory points to. ONNX Runtime maps their bytes in place, below a folder that it is given: the root
 * of the file system (on Windows, of a drive), so that files may be anywhere, on any volume and behind links.
 */
export class WeightFiles {
  /** Size of all weights placed. */
  bytes = 0;
  private root = '';

  /** Where a weight lies, seen from `folder`. */
  place({ file, offset, byteLength, dtype, shape }: FileTensor): ExternalTensor {
    const path = resolve(file);
    this.root ||= parse(path).root;
    this.bytes += byteLength;
    return { location: relative(this.root, path), offset, byteLength, dtype, shape };
  }

  /** What the locations are relative to. */
  get folder(): string {
    return this.root;
  }
}
