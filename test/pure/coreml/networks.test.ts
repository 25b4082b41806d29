import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { milModel } from '../../../src-main/engine/coreml/program.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { appleNetwork, applePartsOf } from '../../../src-main/features/export/coreml/appleGraphs.ts';

const fixtures = path.resolve('test/golden/fixtures/models');

/** What each package is fed and gives, as Apple's library asks for it. */
function featuresOf(model: Model, size: number): Record<string, string> {
  const weights = (_: string, shape: readonly number[]) => f32(shape);
  const named = applePartsOf(model).map((part) => {
    const { graph, features } = appleNetwork(model, part, size, 'f16');
    const { description } = milModel(graph, { computes: 'f16', weights, about: '', features }).proto;
    for (const { shortDescription } of [...description.input, ...description.output])
      expect(shortDescription).not.toBe('');
    const sides = [description.input, description.output].map((side) =>
      side.map(({ name, type: { multiArrayType } }) => `${name}[${multiArrayType.shape.join()}]`).join(' '),
    );
    return [part, sides.join(' → ')] as const;
  });
  return Object.fromEntries(named);
}

describe("Apple's packages", () => {
  it.each(['tiny-sd1', 'tiny-sd2', 'tiny-bk'])('of %s', (name) => {
    const model = openModel(path.join(fixtures, name));
    const width = model.textEncoder.config.hidden_size;
    expect(featuresOf(model, 64)).toEqual({
      TextEncoder: `input_ids[1,77] → last_hidden_state[1,77,${width}]`,
      Unet: expect.stringMatching(
        `^sample\\[2,4,(\\d+),\\1\\] timestep\\[2\\] encoder_hidden_states\\[2,${width},1,77\\] → noise_pred\\[2,4,\\1,\\1\\]$`,
      ) as string,
      VAEDecoder: expect.stringMatching(/^z\[1,4,(\d+),\1\] → image\[1,3,64,64\]$/) as string,
      VAEEncoder: expect.stringMatching(/^x\[1,3,64,64\] → latent\[1,8,(\d+),\1\]$/) as string,
    });
  });

  it.each(['tiny-sdxl', 'tiny-ssd', 'tiny-koala', 'tiny-koala-1b'])('of %s', (name) => {
    const model = openModel(path.join(fixtures, name));
    const features = featuresOf(model, 64);
    expect(features['TextEncoder']).toBe('input_ids[1,77] → hidden_embeds[1,77,16] pooled_outputs[1,16]');
    expect(features['TextEncoder2']).toBe('input_ids[1,77] → hidden_embeds[1,77,24] pooled_outputs[1,20]');
    expect(features['Unet']).toMatch(/ encoder_hidden_states\[2,40,1,77\] .*→ noise_pred/);
    expect(features['Unet']).toContain('time_ids[2,6]');
    expect(features['Unet']).toContain('text_embeds[2,20]');
  });

  it('leave out the encoder of a VAE that the library would misread', () => {
    const model = openModel(path.resolve('models/likeness-mini'));
    expect(Object.keys(featuresOf(model, 128))).toEqual(['TextEncoder', 'Unet', 'VAEDecoder']);
  });
});
