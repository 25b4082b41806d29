import { describe, expect, it } from 'vitest';
import { backward } from '../../../src-main/engine/autodiff/backward.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { input, meanSquaredError } from '../../../src-main/engine/graph/build.ts';
import { leaves } from '../../../src-main/engine/graph/graph.ts';
import type { Value } from '../../../src-main/engine/graph/ops.ts';
import { encodePrompt, promptEnds, promptEndsInput } from '../../../src-main/engine/models/textEncoders.ts';
import { unet } from '../../../src-main/engine/models/unet.ts';
import { vaeDecode } from '../../../src-main/engine/models/vae.ts';
import { Scope } from '../../../src-main/engine/nn/scope.ts';
import { f32, type HostTensor } from '../../../src-main/engine/tensor/tensor.ts';
import { diffusionLoss } from '../../../src-main/engine/training/loss/diffusionLoss.ts';
import { wholeNetworks } from '../../../src-main/engine/training/loss/parameters.ts';
import { execute, relativeError } from './goldens.ts';

const fixtures = `${import.meta.dirname}/../fixtures`;

// Depths of transformers that differ by level (SDXL) and by attention (SSD-1B, Segmind-Vega); without a mid block (KOALA-700M) and
// with one, one resnet a block (KOALA-1B).
describe.each(['tiny-sdxl', 'tiny-ssd', 'tiny-koala', 'tiny-koala-1b'])('%s', (name) => {
  const model = openModelFolder(`${fixtures}/models/${name}`);
  const { config } = model.unet;

  function goldens(kind: 'forward' | 'gradients') {
    const { tensors } = readSafetensors(`${fixtures}/${kind}/${name}.safetensors`);
    const get = (key: string): HostTensor => {
      const entry = tensors.get(key);
      if (!entry) throw new Error(`no golden ${key}`);
      return readTensor(entry);
    };
    const names = ['input_ids', 'timesteps', 'latents', 'noise', 'time_ids'] as const;
    const feeds = Object.fromEntries(names.map((key) => [key, get(key)]));
    const ends = promptEnds(get('input_ids') as HostTensor<'i64'>, model) as HostTensor<'i64'>;
    return {
      get,
      keys: [...tensors.keys()],
      feeds: { ...feeds, prompt_ends: ends } as Record<string, HostTensor>,
    };
  }

  /** The prompt and the U-Net's prediction, as one graph. */
  function whole(feeds: Readonly<Record<string, HostTensor>>) {
    const value = (key: string): Value => {
      const { shape, dtype } = feeds[key] as HostTensor;
      return input(key, shape, dtype);
    };
    const tokens = { ids: value('input_ids'), ...promptEndsInput(model, 2) };
    const { context, pooled } = encodePrompt((part) => Scope.root(part), tokens, model);
    const added = { text_embeds: pooled as Value, time_ids: value('time_ids') };
    const latents = value('latents');
    const inputs = { sample: latents, timesteps: value('timesteps'), context, added };
    return { latents, context, pooled: pooled as Value, ...unet(Scope.root('unet'), inputs, config) };
  }

  it("computes what diffusers' text encoders, U-Net blocks and VAE do", async () => {
    const { get, keys, feeds } = goldens('forward');
    const { latents, context, pooled, sample, features } = whole(feeds);
    const references = keys.filter((key) => /^unet\.(down|mid|up)_block/.test(key));
    const blocks = references.map((key) => [key, features.get(key.replace('unet.', '')) as Value] as const);
    const decoded = vaeDecode(Scope.root('vae'), latents, model.vae.config);
    const outputs = {
      context,
      pooled,
      'unet.sample': sample,
      'vae.decoded': decoded,
      ...Object.fromEntries(blocks),
    };
    const found = await execute({ outputs }, model, feeds);
    expect(references.length).toBe(2 * 3 + (config.mid_block_type ? 1 : 0));
    for (const key of Object.keys(outputs))
      expect(relativeError(found[key], get(key)), key).toBeLessThan(1e-4);
  });

  it('trains every weight that the loss has', () => {
    const { loss } = diffusionLoss(model, { batch: 2, latents: [4, 8, 8] });
    const { names } = wholeNetworks(model, { trainTextEncoder: true });
    expect([...names].sort()).toEqual([...leaves({ outputs: { loss } }, 'parameter').keys()].sort());
  });

  const isShape = name === 'tiny-ssd' || name === 'tiny-koala';
  // The others have the same parts.
  it.runIf(isShape)("has diffusers' gradients of every weight that is used", async () => {
    const { get, keys, feeds } = goldens('gradients');
    const { sample } = whole(feeds);
    const loss = meanSquaredError(sample, input('noise', [2, 4, 8, 8]));
    const trained = leaves({ outputs: { loss } }, 'parameter');
    const gradients = backward(loss, [...trained.values()]);
    const named = [...trained.keys()].map((key, i) => [`grad.${key}`, gradients[i] as Value] as const);
    const found = await execute({ outputs: { loss, ...Object.fromEntries(named) } }, model, feeds);
    expect(relativeError(found['loss'], get('loss'))).toBeLessThan(1e-5);
    const norms = keys.filter((key) => key.startsWith('norm.'));
    expect(norms.map((key) => key.slice('norm.'.length)).sort()).toEqual([...trained.keys()].sort());
    for (const key of norms) {
      const norm = Math.hypot(...(found[key.replace('norm.', 'grad.')]?.data as Float32Array));
      const wanted = Number(get(key).data[0]);
      if (wanted > 1e-9) expect(relativeError(f32([], [norm]), get(key)), key).toBeLessThan(1e-3);
      else expect(norm, key).toBeLessThan(1e-6);
    }
    for (const key of keys.filter((key) => key.startsWith('grad.')))
      expect(relativeError(found[key], get(key)), key).toBeLessThan(1e-3);
  });
});
