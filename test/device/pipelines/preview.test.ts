import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { generate } from '../../../src-main/features/generation/generate.ts';
import { generateDefaults } from '../../../src-main/features/generation/request.ts';
import type { PreviewEvent } from '../../../src-shared/domain/workerMessages.ts';

const work = mkdtempSync(path.join(tmpdir(), 'likeness-preview-'));
afterAll(() => rmSync(work, { recursive: true }));
const side = 16;

async function colours(input: string | Buffer): Promise<number[]> {
  const { data, info } = await sharp(input)
    .resize(side, side)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([side, side, 3]);
  return [...data];
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  const product = (x: readonly number[], y: readonly number[], mx: number, my: number): number =>
    x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] as number) - my), 0);
  return product(a, b, ma, mb) / Math.sqrt(product(a, a, ma, ma) * product(b, b, mb, mb));
}

it('previews come to look like the picture that is being made, whatever the sampler', async () => {
  for (const scheduler of ['ddim', 'euler'] as const) {
    const seen: PreviewEvent[] = [];
    const { images } = await generate(
      {
        ...generateDefaults,
        ...{
          prompts: ['a red ball on the grass'],
          out: work,
          model: 'models/likeness-mini',
          provider: 'cpu',
        },
        ...{ steps: 30, count: 2, seed: 3, scheduler },
      },
      { report: () => undefined, signal: new AbortController().signal },
      '1.2.3',
      { onPreview: (event) => void seen.push(event) },
    );
    for (const index of [0, 1]) {
      const own = seen.filter((event) => event.index === index);
      expect(own.length).toBeGreaterThan(2);
      expect(own.every(({ step, steps }) => step < steps && steps === 30)).toBe(true);
      const picture = await colours(images[index]?.path ?? '');
      const likeness = await Promise.all(
        own.map(async ({ image }) =>
          correlation(await colours(Buffer.from(image.split(',')[1] ?? '', 'base64')), picture),
        ),
      );
      expect(likeness.at(-1)).toBeGreaterThan(0.85);
      expect(likeness.at(-1)).toBeGreaterThan(likeness[0] ?? 1);
    }
  }
});
