/** RGBA pixels, rows from the top, four bytes a pixel. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const headerLengths = [40, 52, 56, 64, 108, 124];
const uncompressed = 0;
const bitFields = [3, 6];

/**
 * Decodes a Windows bitmap of 1, 4, 8, 16, 24 or 32 bits that is not run-length coded (BITMAPINFOHEADER and later, Microsoft's
 * "Bitmap Storage"). `mayBe` is asked for the size before any memory is taken. Throws what it throws, and a plain Error.
 */
export function decodeBmp(file: Buffer, mayBe: (width: number, height: number) => void): Pixels {
  const headerLength = file.readUInt32LE(14);
  if (!headerLengths.includes(headerLength)) throw new Error(`a header of ${headerLength} bytes`);
  const width = file.readInt32LE(18);
  const tall = file.readInt32LE(22);
  const height = Math.abs(tall);
  if (width <= 0 || height === 0) throw new Error(`${width} × ${tall} pixels`);
  mayBe(width, height);
  const bits = file.readUInt16LE(28);
  const compression = file.readUInt32LE(30);
  if (compression !== uncompressed && !bitFields.includes(compression))
    throw new Error(`compression ${compression} is not read`);
  const start = file.readUInt32LE(10);
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (start + stride * height > file.length) throw new Error('it is cut off');
  const colourAt = bits <= 8 ? paletteOf(file, headerLength, bits) : fieldsOf(file, headerLength, bits);
  const data = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (tall < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++) data.set(colourAt(row, x), 4 * (y * width + x));
  }
  return { width, height, data };
}

type ColourAt = (row: number, x: number) => readonly number[];

function paletteOf(file: Buffer, headerLength: number, bits: number): ColourAt {
  if (![1, 4, 8].includes(bits)) throw new Error(`${bits} bits a pixel`);
  const count = file.readUInt32LE(46) || 1 << bits;
  const colours = Array.from({ length: Math.min(count, 256) }, (_, i) => {
    const at = 14 + headerLength + 4 * i;
    return [file.readUInt8(at + 2), file.readUInt8(at + 1), file.readUInt8(at), 255];
  });
  const perByte = 8 / bits;
  return (row, x) => {
    const shift = 8 - bits * ((x % perByte) + 1);
    const index = (file.readUInt8(row + Math.floor(x / perByte)) >> shift) & ((1 << bits) - 1);
    const colour = colours[index];
    if (!colour) throw new Error(`colour ${index} of ${colours.length}`);
    return colour;
  };
}

function fieldsOf(file: Buffer, headerLength: number, bits: number): ColourAt {
  if (bits === 24)
    return (row, x) => {
      const at = row + 3 * x;
      return [file[at + 2] ?? 0, file[at + 1] ?? 0, file[at] ?? 0, 255];
    };
  if (bits !== 16 && bits !== 32) throw new Error(`${bits} bits a pixel`);
  const isStated = bitFields.includes(file.readUInt32LE(30));
  const usual = bits === 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff0000, 0xff00, 0xff];
  const colours = isStated ? [54, 58, 62].map((at) => file.readUInt32LE(at)) : usual;
  // Where no header states alpha, the fourth byte is unused.
  const hasAlpha = isStated && (headerLength >= 56 || file.readUInt32LE(30) === 6);
  const masks = [...colours, hasAlpha ? file.readUInt32LE(66) : 0];
  const fields = masks.map((mask) => {
    const low = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { low, most: mask >>> low };
  });
  return (row, x) => {
    const value = bits === 16 ? file.readUInt16LE(row + 2 * x) : file.readUInt32LE(row + 4 * x);
    return fields.map(({ low, most }) =>
      most === 0 ? 255 : Math.round((255 * ((value >>> low) & most)) / most),
    );
  };
}
