import { readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

/** Encodings that browsers accept, the smallest first. */
const ways = { br: promisify(brotliCompress), gzip: promisify(gzip) } as const;
type Encoding = keyof typeof ways;

/** Each file is compressed once. */
const made = new Map<string, Promise<Buffer>>();

/**
 * A file of the window in the smallest encoding that the browser accepts; undefined if it should go uncompressed. `accepts`:
 * Accept-Encoding.
 */
export async function compressed(
  file: string,
  accepts: string,
): Promise<{ readonly body: Buffer; readonly encoding: Encoding } | undefined> {
  const offered = accepts.split(',').map((one) => one.split(';')[0]?.trim());
  const encoding = (Object.keys(ways) as Encoding[]).find((way) => offered.includes(way));
  if (encoding === undefined || !/\.(html|js|css|svg|json)$/.test(file)) return undefined;
  const key = `${encoding} ${statSync(file).mtimeMs} ${file}`;
  const body = made.get(key) ?? ways[encoding](readFileSync(file));
  made.set(key, body);
  return { body: await body, encoding };
}
