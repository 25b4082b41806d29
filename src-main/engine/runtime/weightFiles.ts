import { link, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExternalTensor } from '../onnx/model.ts';
import type { FileTensor } from '../tensor/tensor.ts';

/**
 * A folder that holds the `.onnx` file and directory entries of the weight files it points into: ONNX Runtime
 * maps those bytes where they lie, so no weight is copied on disk or in memory.
 */
export class WeightFiles {
  private readonly locations = new Map<string, string>();

  /** Size of all weights placed. */
  bytes = 0;

  /** Where a weight lies, seen from the folder. */
  place({ file, offset, byteLength, dtype, shape }: FileTensor): ExternalTensor {
    const path = resolve(file);
    const location = this.locations.get(path) ?? `weights-${this.locations.size}`;
    this.locations.set(path, location);
    this.bytes += byteLength;
    return { location, offset, byteLength, dtype, shape };
  }

  /** Writes the model, calls `use` with its path, and removes the folder again. */
  async with<T>(model: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'likeness-'));
    try {
      for (const [file, location] of this.locations) await enter(file, join(folder, location));
      const path = join(folder, 'model.onnx');
      await writeFile(path, model);
      return await use(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** A second directory entry for `file`: a hard link, or a symbolic one on another volume. */
async function enter(file: string, path: string): Promise<void> {
  try {
    await link(file, path);
  } catch {
    await symlink(file, path);
  }
}
