import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { pack } from 'tar-stream';
import { attempt } from './attempt.ts';

export const fixtures = path.resolve('test/golden/fixtures');
export const model = path.join(fixtures, 'models/tiny-sd1');

/** The words that draw one small picture. */
export const draw = (out: string, ...more: string[]): string[] => [
  ...['generate', '--prompt', 'a red brick', '--steps', '1', '--guidance', '1'],
  ...['--size', '32x32', '--seed', '1'],
  ...['--provider', 'cpu', '--scheduler', 'ddim', '--out', out, ...more],
];
/** The words that finetune on `photos` for one step. */
export const train = (photos: string, out: string, ...more: string[]): string[] => [
  ...['finetune', '--photos', photos, '--class', 'brick', '--out', out, '--model', model, '--no-prior'],
  ...['--steps', '1', '--size', '32x32', '--rank', '1', '--provider', 'cpu', '--no-scenes', ...more],
];

/** Writes a good file of every kind that is read into the folder `good`. */
export async function makeGoodFiles(good: string): Promise<void> {
  mkdirSync(path.join(good, 'photos/masks'), { recursive: true });
  const noise = { type: 'gaussian', mean: 120, sigma: 60 } as const;
  const picture = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'black', noise } });
  for (const [i, ending] of ['png', 'jpg', 'webp', 'gif', 'tif', 'avif'].entries())
    await picture(40 + i, 36).toFile(path.join(good, `photo.${ending}`));
  cpSync(path.join(fixtures, 'heic/plain.heic'), path.join(good, 'photo.heic'));
  writeFileSync(path.join(good, 'photo.bmp'), bitmap(20, 12));
  cpSync(path.join(good, 'photo.png'), path.join(good, 'photos/a.png'));
  cpSync(path.join(good, 'photo.jpg'), path.join(good, 'photos/b.jpg'));
  writeFileSync(path.join(good, 'photos/b.txt'), 'a {token} {class} on a wall\n');
  await sharp({ create: { width: 40, height: 36, channels: 3, background: 'white' } }).toFile(
    path.join(good, 'photos/masks/a.png'),
  );
  await attempt(
    train(path.join(good, 'photos'), path.join(good, 'run'), '--steps', '2', '--checkpoint-every', '1'),
  );
  await attempt(draw(path.join(good, 'drawn'), '--model', model));
  const [drawn = ''] = readdirSync(path.join(good, 'drawn')).filter((name) => name.endsWith('.png'));
  cpSync(path.join(good, 'drawn', drawn), path.join(good, 'drawn.png'));
  cpSync(model, path.join(good, 'model'), { recursive: true });
  cpSync(path.resolve('models/likeness-mini/likeness.json'), path.join(good, 'model/likeness.json'));
  const data = path.join(good, 'data');
  mkdirSync(data);
  for (const name of ['1.png', '2.png', '3.png', '4.png'])
    await picture(32, 32).toFile(path.join(data, name));
  writeFileSync(
    path.join(data, 'metadata.csv'),
    'file_name,text\n1.png,one\n2.png,"two, or ""more"""\n3.png,three\n4.png,four\n',
  );
  writeFileSync(path.join(good, 'prompts.txt'), 'a brick\na wall\na road\n');
  for (const format of ['kohya', 'single-file'] as const)
    await attempt([
      ...['export', '--run', path.join(good, 'run'), '--format', format],
      ...['--out', path.join(good, `${format}.safetensors`)],
    ]);
  writeFileSync(
    path.join(good, 'single-file.yaml'),
    'model:\n  params:\n    parameterization: "v"\n    timesteps: 1000\n',
  );
  await writeTar(path.join(good, 'data.tar'), data);
}

/** A BMP as every program reads it: 24 bits, rows from below. */
function bitmap(width: number, height: number): Buffer {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height, 90);
  bytes.fill(0, 0, 54).write('BM');
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (24 << 16)],
    [34, row * height],
  ] as const)
    bytes.writeUInt32LE(value, at);
  return bytes;
}

async function writeTar(file: string, folder: string): Promise<void> {
  const tar = pack();
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.png'))) {
    tar.entry({ name: `x/${name}` }, await sharp(path.join(folder, name)).png().toBuffer());
    tar.entry({ name: `x/${name.replace('png', 'txt')}` }, 'a caption');
  }
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  writeFileSync(file, Buffer.concat(parts));
}
