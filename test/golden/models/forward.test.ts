import { describe, expect, it } from 'vitest';
import { input } from '../../../src-main/engine/graph/build.ts';
import { clipTextModel } from '../../../src-main/engine/models/clip.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../../src-main/engine/models/vae.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import type { HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { execute, goldens, openTiny, relativeError, tinyModels } from './goldens.ts';

describe.each(tinyModels)('%s forward', (name) => {
  const model = openTiny(name);
  const golden = goldens('forward', name);
  const like = (key: string, { shape, dtype }: HostTensor) => input(key, shape, dtype);
  const expectClose = (actual: Record<string, HostTensor>, key: string, reference: string) =>
    expect(relativeError(actual[key], golden.get(reference)), reference).toBeLessThan(1e-4);

  it('text encoder', async () => {
    const ids = golden.get('input_ids');
    const state = clipTextModel(Scope.root('text_encoder'), like('ids', ids), model.textEncoder.config);
    const found = await execute({ outputs: { state } }, model, { ids });
    expectClose(found, 'state', 'text.last_hidden_state');
  });

  it('U-Net and its blocks', async () => {
    const feeds = {
      sample: golden.get('latents'),
      timesteps: golden.get('timesteps'),
      context: golden.get('text.last_hidden_state'),
    };
    const { sample, timesteps, context } = feeds;
    const inputs = {
      sample: like('sample', sample),
      timesteps: like('timesteps', timesteps),
      context: like('context', context),
    };
    const { sample: predicted, features } = unet(Scope.root('unet'), inputs, model.unet.config);
    const references = golden.keys.filter((key) => /^unet\.(down|mid|up)_block/.test(key));
    const blocks = references.map((key) => [key, features.get(key.replace('unet.', ''))] as const);
    const outputs = {
      predicted,
      ...Object.fromEntries(blocks.flatMap(([key, value]) => (value ? [[key, value]] : []))),
    };
    const found = await execute({ outputs }, model, feeds);
    expectClose(found, 'predicted', 'unet.sample');
    for (const key of references) expectClose(found, key, key);
  });

  it('U-Net at a height that halving does not divide, timesteps as f32', async () => {
    const whole = golden.get('latents').data as Float32Array;
    const data = Float32Array.from(
      { length: 2 * 4 * 5 * 8 },
      (_, i) => whole[Math.floor(i / 40) * 64 + (i % 40)] as number,
    );
    const feeds: Record<string, HostTensor> = {
      sample: { dtype: 'f32', shape: [2, 4, 5, 8], data },
      timesteps: { dtype: 'f32', shape: [2], data: Float32Array.of(421, 421) },
      context: golden.get('text.last_hidden_state'),
    };
    const value = (key: string) => like(key, feeds[key] as HostTensor);
    const inputs = { sample: value('sample'), timesteps: value('timesteps'), context: value('context') };
    const { sample: predicted } = unet(Scope.root('unet'), inputs, model.unet.config);
    expectClose(await execute({ outputs: { predicted } }, model, feeds), 'predicted', 'unet.odd_sample');
  });

  it('VAE, both ways', async () => {
    const [image, latents] = [golden.get('image'), golden.get('latents')];
    const scope = Scope.root('vae');
    const encoded = vaeEncode(scope, like('image', image), model.vae.config);
    const decoded = vaeDecode(scope, like('latents', latents), model.vae.config);
    const found = await execute({ outputs: { ...encoded, decoded } }, model, { image, latents });
    expectClose(found, 'mean', 'vae.mean');
    expectClose(found, 'logvar', 'vae.logvar');
    expectClose(found, 'decoded', 'vae.decoded');
  });
});
