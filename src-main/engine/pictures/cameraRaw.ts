import { open, type FileHandle } from 'node:fs/promises';

/** TIFF 6.0 and DNG 1.7: the tags that tell a camera's raw data from a picture. */
const tags = { subfileType: 254, width: 256, height: 257, photometric: 262, subIfds: 330, dngVersion: 50706 };
const filterArray = 32803;
const linearRaw = 34892;

const maxDirectories = 64;
const maxEntries = 1000;

/** A page of a TIFF. */
interface Directory {
  readonly isReduced: boolean;
  readonly isRaw: boolean;
  readonly pixels: number;
}

/**
 * Whether a TIFF holds a camera's raw data (DNG, NEF, ARW, PEF …), or a thumbnail before a larger picture: what a TIFF reader
 * would take for the photo is then only a preview. False for a file that is broken or no TIFF.
 */
export async function isCameraRaw(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const pages = await directories(handle);
    const [first] = pages;
    if (!first) return false;
    if (pages.some(({ isRaw }) => isRaw)) return true;
    return first.isReduced && pages.some(({ pixels }) => pixels > first.pixels);
  } finally {
    await handle.close();
  }
}

async function directories(handle: FileHandle): Promise<Directory[]> {
  const head = await bytes(handle, 0, 8);
  if (head.length < 8) return [];
  const little = head.toString('latin1', 0, 2) === 'II';
  const u16 = (from: Buffer, at: number) => (little ? from.readUInt16LE(at) : from.readUInt16BE(at));
  const u32 = (from: Buffer, at: number) => (little ? from.readUInt32LE(at) : from.readUInt32BE(at));
  // A BigTIFF's directories are laid out in another way; no camera writes them.
  if (u16(head, 2) !== 42) return [];
  const found: Directory[] = [];
  const waiting = [u32(head, 4)];
  const seen = new Set<number>();
  for (let at = waiting.shift(); at !== undefined && found.length < maxDirectories; at = waiting.shift()) {
    if (at === 0 || seen.has(at)) continue;
    seen.add(at);
    const length = await bytes(handle, at, 2);
    if (length.length < 2) continue;
    const count = Math.min(u16(length, 0), maxEntries);
    const body = await bytes(handle, at + 2, count * 12 + 4);
    const values = new Map<number, number[]>();
    for (let entry = 0; entry + 12 <= Math.min(body.length, count * 12); entry += 12) {
      const [tag, type, size] = [u16(body, entry), u16(body, entry + 2), u32(body, entry + 4)];
      if (!Object.values(tags).includes(tag)) continue;
      const isLong = type === 4 || type === 13;
      if (isLong && size > 1) {
        const list = await bytes(handle, u32(body, entry + 8), 4 * Math.min(size, maxDirectories));
        values.set(
          tag,
          Array.from({ length: list.length >> 2 }, (_, i) => u32(list, 4 * i)),
        );
      } else values.set(tag, [isLong ? u32(body, entry + 8) : u16(body, entry + 8)]);
    }
    const value = (tag: number): number => values.get(tag)?.[0] ?? 0;
    found.push({
      isReduced: (value(tags.subfileType) & 1) === 1,
      isRaw: values.has(tags.dngVersion) || [filterArray, linearRaw].includes(value(tags.photometric)),
      pixels: value(tags.width) * value(tags.height),
    });
    waiting.push(...(values.get(tags.subIfds) ?? []));
    if (body.length === count * 12 + 4) waiting.push(u32(body, count * 12));
  }
  return found;
}

async function bytes(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
