import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePng } from '../../../src-main/engine/pipelines/png.ts';
import { side } from '../modelConfig.ts';
import { Pictures } from '../shards.ts';

/** One in this many captions is left empty, for guidance. */
const emptyEvery = 10;

/** The first `count` rendered pictures of `shards` as a folder with `metadata.csv`, as `likeness distill --data` takes it. */
export async function captionedFolder(shards: string, count: number, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const half = `${folder}.half`;
  mkdirSync(half, { recursive: true });
  const rendered = new Pictures(shards);
  const rows: string[] = ['file_name,text'];
  for (let i = 0; i < Math.min(count, rendered.count); i++) {
    const name = `${String(i).padStart(5, '0')}.png`;
    writeFileSync(join(half, name), await encodePng({ width: side, height: side, data: rendered.bytes(i) }));
    rows.push(`${name},"${i % emptyEvery === emptyEvery - 1 ? '' : captionOf(rendered, i)}"`);
  }
  rendered.close();
  writeFileSync(join(half, 'metadata.csv'), `${rows.join('\n')}\n`);
  renameSync(half, folder);
}

/** Wordings take turns; the fuller ones come first in the list and are taken more often. */
function captionOf({ captions }: Pictures, index: number): string {
  const wordings = captions[index]?.captions ?? [];
  const share = (index * 0.618_034) % 1;
  return (wordings[Math.floor(share ** 2 * wordings.length)] ?? '').replaceAll('"', '""');
}

/** The fullest wording of the first `count` pictures. */
export function promptsOf(shards: string, count: number): string[] {
  const rendered = new Pictures(shards);
  rendered.close();
  return rendered.captions.slice(0, count).map(({ captions }) => captions[0] ?? '');
}
