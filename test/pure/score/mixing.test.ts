import { expect, it } from 'vitest';
import { mixingOf, mixingOfPhotos } from '../../../src-main/features/score/mixing.ts';

const at = (degrees: number): Float32Array =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const subjects = [
  { name: 'sks dog', photos: [at(0), at(10)] },
  { name: 'ohwx cat', photos: [at(80), at(90)] },
];

it('compares pictures with their own photos and with those of the others', () => {
  const { own, others, mixed } = mixingOf([at(5), at(20), at(60), at(44)], subjects, 0, 1);
  expect(mixed).toBe(0.25);
  expect(others.map(({ name }) => name)).toEqual(['ohwx cat']);
  const cos = (degrees: number): number => Math.cos((degrees * Math.PI) / 180);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const toDog = [5, 5, 20, 10, 60, 50, 44, 34].map(cos);
  const toCat = [75, 85, 60, 70, 20, 30, 36, 46].map(cos);
  expect(own.value).toBeCloseTo(mean(toDog), 6);
  expect(others[0]?.likeness.value).toBeCloseTo(mean(toCat), 6);
});

it('says how far apart the photos themselves are', () => {
  expect(mixingOfPhotos(subjects, 1)).toMatchObject({ mixed: 0, others: [{ name: 'sks dog' }] });
  const alike = [...subjects, { name: 'hta fox', photos: [at(45), at(80)] }];
  expect(mixingOfPhotos(alike, 2).mixed).toBe(0.5);
});
