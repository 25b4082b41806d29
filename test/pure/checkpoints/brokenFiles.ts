/** A safetensors file of this header and `dataBytes` of `fill`; `lengthLie` is added to the true header length. */
export function safetensors(
  header: object | string | Uint8Array,
  dataBytes = 0,
  lengthLie = 0,
  fill = 0,
): Uint8Array {
  const text =
    header instanceof Uint8Array
      ? header
      : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length + lengthLie));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes, fill)]);
}

/** A zip of stored files, whose directory may lie about them, or be laid out as for files past 4 GB. */
export function zip(
  files: Readonly<Record<string, Uint8Array>>,
  lies: { method?: number; flags?: number; sizeLie?: number; offsetLie?: number; zip64?: boolean } = {},
): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(files)) {
    const size = data.length + (lies.sizeLie ?? 0);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(lies.flags ?? 0, 2);
    shared.writeUInt16LE(lies.method ?? 0, 4);
    shared.writeUInt32LE(size, 14);
    shared.writeUInt32LE(size, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    const start = offset + (lies.offsetLie ?? 0);
    tail.writeUInt32LE(lies.zip64 ? 0xffffffff : start, 10);
    const extra = lies.zip64 ? zip64Extra([size, size, start]) : Buffer.alloc(0);
    const central = Buffer.from(shared);
    if (lies.zip64) central.fill(0xff, 14, 22);
    central.writeUInt16LE(extra.length, 24);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), central, tail, Buffer.from(name), extra]),
    );
    locals.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  if (lies.zip64) end.fill(0xff, 8, 20);
  else {
    end.writeUInt16LE(directory.length, 8);
    end.writeUInt16LE(directory.length, 10);
    end.writeUInt32LE(entries.length, 12);
    end.writeUInt32LE(offset, 16);
  }
  const wideEnd = lies.zip64 ? zip64End(directory.length, entries.length, offset) : Buffer.alloc(0);
  return Buffer.concat([...locals, entries, wideEnd, end]);
}

/** An unrelated extra field, then the zip64 one (APPNOTE 4.5.3). */
function zip64Extra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(6 + 4 + 8 * values.length);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(2, 2);
  extra.writeUInt16LE(1, 6);
  extra.writeUInt16LE(8 * values.length, 8);
  values.forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 10 + 8 * i));
  return extra;
}

/** The zip64 end record and its locator (APPNOTE 4.3.14, 4.3.15). */
function zip64End(count: number, size: number, start: number): Buffer {
  const record = Buffer.alloc(76);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  for (const [at, value] of [
    [24, count],
    [32, count],
    [40, size],
    [48, start],
    [64, start + size],
  ] as const)
    record.writeBigUInt64LE(BigInt(value), at);
  record.write('PK\x06\x07', 56, 'latin1');
  return record;
}
