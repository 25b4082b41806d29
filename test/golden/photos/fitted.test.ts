import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { covering, fitted } from '../../../src-main/engine/pictures/fitted.ts';
import type { Picture } from '../../../src-main/engine/pictures/pixels.ts';

const { tensors } = readSafetensors(join(import.meta.dirname, '../fixtures/pipelines/crops.safetensors'));

function picture(name: string): Picture {
  const entry = tensors.get(name) ?? expect.fail(name);
  const { shape, data } = readTensor(entry);
  const [height = 0, width = 0] = shape;
  return { width, height, data: Uint8Array.from(data, Number) };
}

describe('a part of a picture that is drawn anew', () => {
  it.each([...tensors.keys()].filter((name) => !name.endsWith('picture')))(
    'has the bytes that diffusers gives it: %s',
    (name) => {
      const [number = '', mode] = name.split('.');
      const wanted = picture(name);
      const fit = mode === 'fill' ? fitted : covering;
      expect(fit(picture(`${number}.picture`), wanted)).toEqual(wanted);
    },
  );
});
