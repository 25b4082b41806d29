import { expect, it } from 'vitest';
import { apartOrNot } from '../../../src-main/features/generation/measureBoxes.ts';

it('a subject is compared in its own box and elsewhere, since some photos are more like anything than others', () => {
  // The second subject's photos are more like everything, so that both boxes look like its subject.
  const [first, second] = apartOrNot([
    [0.5, 0.58],
    [0.44, 0.62],
  ]);
  expect(first).toEqual({ own: 0.5, others: [0.58], elsewhere: [0.44] });
  expect(second).toEqual({ own: 0.62, others: [0.44], elsewhere: [0.58] });
});
