import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openClipFolder } from '../../../src-main/engine/checkpoints/scorerFolders.ts';
import { ClipFeatures } from '../../../src-main/engine/evaluation/clip.ts';
import { cosine } from '../../../src-main/engine/evaluation/features.ts';
import { preprocess } from '../../../src-main/engine/evaluation/preprocess.ts';
import { VitFeatures } from '../../../src-main/engine/evaluation/visionTransformer.ts';
import { listPictures, loadPicture } from '../../../src-main/engine/pictures/pictures.ts';
import { evaluateSubject } from '../../../src-main/features/evaluation/subject.ts';

const fixtures = fileURLToPath(new URL('../fixtures/towers/', import.meta.url));
interface Expected {
  readonly clipI: number;
  readonly clipT: number;
  readonly dino: number;
  /** Cosines of the first photo and each picture, of the first picture and each prompt; some prepared pixels. */
  readonly image: readonly number[];
  readonly text: readonly number[];
  readonly pixels: readonly number[];
}
const all = JSON.parse(readFileSync(`${fixtures}expected.json`, 'utf8')) as Record<string, Expected>;
const expected = (name: string): Expected => all[name] as Expected;
const prompts = readFileSync(`${fixtures}prompts.txt`, 'utf8').trim().split('\n');
const pictures = async (part: string) =>
  Promise.all((await listPictures(`${fixtures}${part}`)).map(loadPicture));

const context = { report: () => undefined, signal: new AbortController().signal };
const request = {
  photos: `${fixtures}photos`,
  images: `${fixtures}images`,
  prompts: `${fixtures}prompts.txt`,
  provider: 'cpu',
} as const;
const near = (value: number | undefined | null, wanted: number | undefined): void => {
  expect(Math.abs((value ?? NaN) - (wanted ?? NaN))).toBeLessThan(1e-4);
};

describe.each(['clip-quick', 'clip-gelu'] as const)('%s', (name) => {
  it('prepares pictures as transformers does', async () => {
    const [picture] = await pictures('images');
    if (!picture) throw new Error('no picture');
    const { data } = preprocess(picture, openClipFolder(fixtures + name).preprocessor);
    for (const [i, value] of expected(name).pixels.entries()) expect(data[97 * i]).toBeCloseTo(value, 5);
  });

  it('gives the cosines of transformers', async () => {
    const clip = await ClipFeatures.open(fixtures + name, 'cpu');
    const [photo] = await clip.pictures(await pictures('photos'));
    const images = await clip.pictures(await pictures('images'));
    const texts = await clip.prompts(prompts);
    await clip.dispose();
    for (const [i, image] of images.entries())
      near(cosine(photo as Float32Array, image), expected(name).image[i]);
    for (const [i, text] of texts.entries())
      near(cosine(images[0] as Float32Array, text), expected(name).text[i]);
  });

  it('measures CLIP-I and CLIP-T of folders', async () => {
    const scores = await evaluateSubject({ ...request, clip: fixtures + name }, context);
    near(scores.clipI, expected(name).clipI);
    near(scores.clipT, expected(name).clipT);
    expect(scores.dino).toBeNull();
  });
});

describe.each([
  'dino-published',
  'dino-new',
  'dino-prefixed',
  'dino2-published',
  'dino2-new',
  'dino2-larger',
] as const)('%s', (name) => {
  it('gives the cosines of transformers', async () => {
    const dino = await VitFeatures.open(fixtures + name, 'cpu');
    const [photo] = await dino.pictures(await pictures('photos'));
    const images = await dino.pictures(await pictures('images'));
    await dino.dispose();
    for (const [i, image] of images.entries())
      near(cosine(photo as Float32Array, image), expected(name).image[i]);
    const scores = await evaluateSubject({ ...request, dino: fixtures + name }, context);
    near(scores.dino, expected(name).dino);
    expect(scores.clipI).toBeNull();
  });
});
