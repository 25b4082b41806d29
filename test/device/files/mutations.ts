import { crc32 } from 'node:zlib';

/** A whole number below `below`. */
export type Random = (below: number) => number;

/** mulberry32: small, seeded, good enough to pick places. */
export function randomFrom(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export type Mutation = (bytes: Buffer, random: Random) => Buffer;

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;

/** Most formats say what they are at their beginning, so half of the places lie there. */
const place = (length: number, random: Random): number =>
  random(2) ? random(Math.min(length, 512)) : random(length);

const wildNumbers = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const bytewise: readonly Mutation[] = [
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => bytes.subarray(random(Math.min(64, bytes.length))),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random(5000), random(256))]),
  (bytes, random) => {
    for (let i = 0; i <= random(8); i++) {
      const at = place(bytes.length, random);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    }
    return bytes;
  },
  (bytes, random) => {
    for (let i = 0; i <= random(4); i++) bytes[place(bytes.length, random)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    if (bytes.length < 8) return bytes;
    const at = Math.min(place(bytes.length, random), bytes.length - 4);
    const value = pick(random, wildNumbers);
    if (random(2)) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
    return bytes;
  },
  (bytes, random) => {
    const [at, length] = [place(bytes.length, random), random(4096)];
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  },
  (bytes, random) => {
    const [at, length] = [place(bytes.length, random), random(4096)];
    return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
  },
  (bytes, random) => {
    const at = place(bytes.length, random);
    return bytes.fill(random(2) ? 0 : 0xff, at, Math.min(bytes.length, at + random(4096)));
  },
];

/** What is never of the format: nothing, noise, and what lies under weights' and pictures' names on people's disks. */
const strangers: readonly Mutation[] = [
  () => Buffer.alloc(0),
  () => Buffer.from('<!DOCTYPE html><html><head><title>Sign in</title></head></html>'),
  () => Buffer.from('{"error":"Invalid credentials in Authorization header"}'),
  () => Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0a1b\nsize 12345\n'),
  () => Buffer.alloc(4096),
  (_, random) => Buffer.from(Array.from({ length: 1 + random(3000) }, () => random(256))),
  () => Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1'),
  () => Buffer.from('\x1f\x8b\b\0\0\0\0\0\0\x03', 'latin1'),
  () => Buffer.from('\xff\xfe{\0}\0', 'latin1'),
];

export const binary: Mutation = (bytes, random) =>
  random(10) ? pick(random, bytewise)(bytes, random) : pick(random, strangers)(bytes, random);

const deep = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);

const wildValues: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, -1e308, 2 ** 53, 1e9, 4096, '', 'x', '../../../../etc/passwd'],
  ...['x'.repeat(100_000), 'a\nb\0c\u001b[2J', '\u{1f436}', '1e5', [], {}, [null], [[]], deep(2000)],
  ...[[1, 2, 3], { __proto__: null, a: 1 }, Array.from({ length: 10_000 }, (_, i) => i)],
];

type Tree = Record<string, unknown>;

/** Every object and list in a value, with a way to each of their entries. */
function nodes(value: unknown): Tree[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Tree, ...Object.values(value).flatMap(nodes)];
}

/** A value somewhere in it replaced, left out, renamed or said twice. */
function changeTree(root: unknown, random: Random): unknown {
  const places = nodes(root).filter((node) => Object.keys(node).length > 0);
  if (!places.length || random(12) === 0) return pick(random, wildValues);
  const node = pick(random, places);
  const key = pick(random, Object.keys(node));
  const is = node[key];
  const put = (value: unknown): void => {
    node[key] = value;
  };
  const ways = [
    () => put(pick(random, wildValues)),
    () =>
      put(
        typeof is === 'number' ? pick(random, [-is, is * 1e6, is + 0.5, is + 1]) : pick(random, wildValues),
      ),
    () => (Array.isArray(node) ? node.splice(Number(key), 1) : Reflect.deleteProperty(node, key)),
    () => {
      if (Array.isArray(node)) node.push(is);
      else node[`${key}x`] = is;
    },
    () => put(pick(random, [String(is), [is], { [key]: is }])),
  ];
  pick(random, ways)();
  return root;
}

/** A JSON file: its values, or its bytes. */
export const json: Mutation = (bytes, random) => {
  if (random(3) === 0) return binary(bytes, random);
  let root: unknown = JSON.parse(bytes.toString());
  for (let i = 0; i <= random(2); i++) root = changeTree(root, random);
  const text = JSON.stringify(root);
  return Buffer.from(random(8) ? text : text.replace(/:\s*\d/, ': NaN'));
};

/** A safetensors file: its header's values, with a length that is right, or its bytes. */
export const safetensors: Mutation = (bytes, random) => {
  if (random(2)) return binary(bytes, random);
  const length = Number(bytes.readBigUInt64LE(0));
  const root = changeTree(JSON.parse(bytes.subarray(8, 8 + length).toString()), random);
  const header = Buffer.from(JSON.stringify(root));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([start, header, bytes.subarray(8 + length)]);
};

const lines: readonly Mutation[] = [
  (bytes, random) => {
    const all = bytes.toString('latin1').split('\n');
    all.splice(random(all.length), 1 + random(3));
    return Buffer.from(all.join('\n'), 'latin1');
  },
  (bytes, random) => {
    const all = bytes.toString('latin1').split('\n');
    const wild = [
      ',,,,,',
      '"',
      '"a""',
      '\0',
      'x'.repeat(200_000),
      '\xff\xfe',
      '#',
      ' ',
      '../../../etc/passwd,x',
      '=1+1',
    ];
    all.splice(random(all.length), random(2), pick(random, wild));
    return Buffer.from(all.join('\n'), 'latin1');
  },
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r'), 'latin1'),
  (bytes) => Buffer.from(bytes.toString(), 'utf16le'),
  (bytes, random) =>
    Buffer.from(bytes.toString('latin1').replaceAll(pick(random, [',', '_', ' ', ':']), ''), 'latin1'),
];

/** A text file: its lines, or its bytes. */
export const text: Mutation = (bytes, random) =>
  random(2) ? pick(random, lines)(bytes, random) : binary(bytes, random);

/** A PNG: a chunk changed, with its check sum made right, or its bytes. */
export const png: Mutation = (bytes, random) => {
  if (random(2)) return binary(bytes, random);
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    chunks.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      data: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  const chosen = random(chunks.length);
  const chunk = chunks[chosen];
  if (!chunk) return bytes;
  const change = random(5);
  if (change === 0) chunks.splice(chosen, 1);
  else if (change === 1) chunks.push(chunk);
  else if (chunk.data.length) chunk.data = pick(random, bytewise)(Buffer.from(chunk.data), random);
  return Buffer.concat([
    bytes.subarray(0, 8),
    ...chunks.map(({ type, data }) => {
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
      length.writeUInt32BE(data.length);
      sum.writeUInt32BE(crc32(body));
      return Buffer.concat([length, body, sum]);
    }),
  ]);
};

/** A zip whose files are stored: what is in one of them, with its check sum left as it is (readers here do not look at it), or its bytes. */
export const stored =
  (inside: Mutation): Mutation =>
  (bytes, random) => {
    if (random(2)) return binary(bytes, random);
    const found: number[] = [];
    for (let at = bytes.indexOf('PK\x03\x04'); at >= 0; at = bytes.indexOf('PK\x03\x04', at + 4))
      found.push(at);
    const at = pick(random, found);
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const size = bytes.readUInt32LE(at + 18);
    const changed = inside(Buffer.from(bytes.subarray(start, start + size)), random);
    changed.copy(bytes, start, 0, size);
    return bytes;
  };

/** A recipe's JSON, with the chunk's length and check sum made right again. */
export const recipeValues: Mutation = (bytes, random) => {
  const start = bytes.indexOf('iTXtlikeness\0');
  const length = bytes.readUInt32BE(start - 4);
  const head = bytes.subarray(start + 4, start + 4 + length).indexOf('{');
  const changed = json(Buffer.from(bytes.subarray(start + 4 + head, start + 4 + length)), random);
  const chunk = Buffer.concat([bytes.subarray(start, start + 4 + head), changed]);
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(chunk.length - 4);
  return Buffer.concat([
    bytes.subarray(0, start - 4),
    size,
    chunk,
    sum,
    bytes.subarray(start + 4 + length + 4),
  ]);
};
