import { problem } from '../../../src-shared/messages/index.ts';
import type { OpenFile } from './files.ts';

/** A file stored (not compressed) inside a zip: its bytes are a range of the zip itself. */
export interface StoredEntry {
  readonly offset: number;
  readonly size: number;
}

/** A file inside a zip: `packed` bytes from `offset`, which are raw deflate unless it is stored. */
export interface ZipEntry extends StoredEntry {
  readonly packed: number;
  readonly deflated: boolean;
}

const maxDirectoryBytes = 64 << 20;
const maxEntries = 100_000;

/** As `listZip`, of a zip without compressed entries, as torch writes it. Errors: `weights.damaged`, `weights.unsupported`. */
export function readZip(file: OpenFile): Map<string, StoredEntry> {
  const listed = listZip(file);
  for (const [name, { deflated }] of listed)
    if (deflated)
      throw problem('weights.unsupported', { file: file.path, why: `"${name}" in it is compressed` });
  return listed;
}

/**
 * Lists a zip's entries by name, as APPNOTE.TXT 4.3 lays them out (zip64 included: torch and NumPy write it past 4 GB).
 * Errors: `weights.damaged`, `weights.unsupported`.
 */
export function listZip(file: OpenFile): Map<string, ZipEntry> {
  const damaged = (why: string) => problem('weights.damaged', { file: file.path, why });
  const { start, size, entries } = findDirectory(file, damaged);
  if (size > maxDirectoryBytes || start + size > file.size)
    throw damaged("the zip's directory is not where it says");
  if (entries > maxEntries) throw damaged(`its zip lists over ${maxEntries.toLocaleString('en')} files`);
  const view = viewOf(file.bytes(start, size));
  const listed = new Map<string, ZipEntry>();
  for (let at = 0, i = 0; i < entries; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50)
      throw damaged("the zip's directory is broken");
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) throw damaged("the zip's directory is broken");
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength));
    const fields = {
      size: view.getUint32(at + 24, true),
      packed: view.getUint32(at + 20, true),
      header: view.getUint32(at + 42, true),
    };
    widen(fields, new DataView(view.buffer, at + 46 + nameLength, extraLength));
    const method = view.getUint16(at + 10, true);
    const deflated = method === 8;
    const known = deflated || (method === 0 && fields.size === fields.packed);
    if (!known || view.getUint16(at + 8, true) & 1)
      throw problem('weights.unsupported', {
        file: file.path,
        why: `"${name}" in it is encrypted, or compressed in an unsupported way`,
      });
    listed.set(name, {
      offset: dataOffset(file, fields.header, fields.packed, damaged),
      size: fields.size,
      packed: fields.packed,
      deflated,
    });
    at = next;
  }
  return listed;
}

type Damaged = (why: string) => Error;

function findDirectory(file: OpenFile, damaged: Damaged) {
  const tailStart = Math.max(0, file.size - 65557);
  const tail = viewOf(file.bytes(tailStart, file.size - tailStart));
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) throw damaged("the zip's end is missing");
  const plain = {
    entries: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    start: tail.getUint32(at + 16, true),
  };
  if (at < 20 || tail.getUint32(at - 20, true) !== 0x07064b50) return plain;
  const recordStart = Number(tail.getBigUint64(at - 12, true));
  if (recordStart + 56 > file.size) throw damaged("the zip's directory is not where it says");
  const record = viewOf(file.bytes(recordStart, 56));
  if (record.getUint32(0, true) !== 0x06064b50) throw damaged("the zip's directory is not where it says");
  return {
    entries: Number(record.getBigUint64(32, true)),
    size: Number(record.getBigUint64(40, true)),
    start: Number(record.getBigUint64(48, true)),
  };
}

/** Fields that hold 0xffffffff stand in the zip64 extra field instead, in this order. */
function widen(fields: { size: number; packed: number; header: number }, extra: DataView): void {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    const end = Math.min(at + 4 + length, extra.byteLength);
    if (extra.getUint16(at, true) === 1) {
      let value = at + 4;
      for (const key of ['size', 'packed', 'header'] as const) {
        if (fields[key] !== 0xffffffff || value + 8 > end) continue;
        fields[key] = Number(extra.getBigUint64(value, true));
        value += 8;
      }
    }
    at += 4 + length;
  }
}

function dataOffset(file: OpenFile, header: number, size: number, damaged: Damaged): number {
  if (header + 30 > file.size) throw damaged("the zip's directory points past its end");
  const local = viewOf(file.bytes(header, 30));
  if (local.getUint32(0, true) !== 0x04034b50) throw damaged("the zip's directory points at the wrong place");
  const offset = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (offset + size > file.size) throw damaged('it is cut off');
  return offset;
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
