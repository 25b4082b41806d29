import { describe, expect, it } from 'vitest';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import {
  TextToImage,
  type PictureRequest,
  type SamplingOptions,
} from '../../../src-main/engine/pipelines/textToImage.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = `${import.meta.dirname}/../../golden/fixtures`;
const options: SamplingOptions = { steps: 12, guidance: 5, width: 64, height: 48 };

describe.each(['tiny-sdxl', 'tiny-ssd', 'tiny-koala', 'tiny-koala-1b'])('%s', (name) => {
  const model = openModelFolder(`${fixtures}/models/${name}`);
  const { tensors, metadata } = readSafetensors(`${fixtures}/pipelines/${name}.safetensors`);
  const { prompt = '', negative = '', seed = '' } = metadata;
  const golden = (key: string): HostTensor<'f32'> => {
    const entry = tensors.get(key);
    if (!entry) throw new Error(`no golden ${key}`);
    return readF32(entry);
  };

  async function draw(request: PictureRequest, changed: Partial<SamplingOptions>) {
    const pipeline = new TextToImage(model, await openTokenizer(model));
    try {
      for await (const made of pipeline.generate([request], { ...options, ...changed })) return made;
      throw new Error('no picture was made');
    } finally {
      await pipeline.dispose();
    }
  }

  it.each([
    ['euler', 'plain'],
    ['euler', 'negative'],
    ['ddim', 'plain'],
    ['ddim', 'negative'],
  ] as const)("%s, %s: StableDiffusionXLPipeline's latents from given noise", async (scheduler, which) => {
    const request = { prompt, seed: 0, latents: golden('start'), ...(which === 'negative' && { negative }) };
    const { latents } = await draw(request, scheduler === 'ddim' ? { scheduler } : {});
    const wanted = golden(`${scheduler}.${which}.latents`);
    expect(latents.shape).toEqual(wanted.shape);
    const most = Math.max(...wanted.data.map(Math.abs));
    const furthest = Math.max(
      ...latents.data.map((value, i) => Math.abs(value - (wanted.data[i] as number))),
    );
    expect(furthest / most).toBeLessThan(2e-3);
  });

  it('draws its picture from the seed alone', async () => {
    const { picture } = await draw({ prompt, seed: Number(seed) }, { scheduler: 'euler-a' });
    const entry = tensors.get('euler-a.picture');
    if (!entry) throw new Error('no picture');
    const wanted = readTensor(entry).data as Uint8Array;
    expect(picture.data).toHaveLength(wanted.length);
    const squares = picture.data.reduce((sum, value, i) => sum + (value - (wanted[i] as number)) ** 2, 0);
    expect(squares / wanted.length).toBeLessThan(0.2);
  });
});
