import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sharp } from '../../sharp.ts';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import type { Original, Over } from '../../../src-shared/contract/originals.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { loadPicture } from '../../engine/pictures/pictures.ts';
import { encodePng } from '../../engine/pictures/png.ts';
import type { OverRequest } from '../../features/generation/request.ts';
import type { LibraryFolder } from '../../storage/libraryFolder.ts';

/** Its part of the worker's task. Errors: `original.gone`. */
export function overRequest(
  originals: Originals,
  { original, mask, strength, maskPadding }: Over,
): OverRequest {
  return {
    ...{ image: originals.at(original), strength },
    ...(mask !== null && { mask: originals.at(mask), ...(maskPadding !== null && { maskPadding }) }),
  };
}

/** Pictures to draw over, and their masks: PNGs in `originals/`, named by their hash. */
export class Originals {
  constructor(private readonly folder: LibraryFolder) {}

  /** Where an original or a mask is. Errors: `original.gone`. */
  at(hash: string): string {
    const file = this.folder.at('originals', `${hash}.png`);
    if (!existsSync(file)) throw problem('original.gone', { file });
    return file;
  }

  /** Undefined where it is not kept. */
  async find(hash: string): Promise<Original | undefined> {
    const file = this.folder.at('originals', `${hash}.png`);
    if (!existsSync(file)) return undefined;
    const { width, height } = await sharp(file).metadata();
    return { hash, width, height };
  }

  /** Keeps the picture in a file, upright and in sRGB. Errors: those of `loadPicture`, `file.unwritable`. */
  async keep(file: string): Promise<Original> {
    const picture = await loadPicture(file);
    const { width, height } = picture;
    return { hash: this.write(await encodePng(picture)), width, height };
  }

  /** The same for a file's bytes. */
  async keepBytes(name: string, bytes: Buffer): Promise<Original> {
    const temporary = path.join(
      this.folder.make('originals'),
      `.${sha256(bytes, 16)}-${path.basename(name)}`,
    );
    try {
      await writeFile(temporary, bytes);
      return await this.keep(temporary);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Errors: `original.gone`, `photos.badMask`. */
  async keepMask(original: string, png: Buffer): Promise<string> {
    const size = await sharp(this.at(original)).metadata();
    const found = await sharp(png)
      .metadata()
      .catch(() => undefined);
    if (found?.format !== 'png' || found.width !== size.width || found.height !== size.height)
      throw problem('photos.badMask', { name: `${original}.png`, width: size.width, height: size.height });
    return this.write(png);
  }

  private write(png: Buffer): string {
    const hash = sha256(png, 16);
    writeAtomically(path.join(this.folder.make('originals'), `${hash}.png`), () => [png]);
    return hash;
  }
}
