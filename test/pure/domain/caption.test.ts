import { expect, it } from 'vitest';
import { captionFault } from '../../../src-shared/domain/caption.ts';

it.each([
  ['a photo of {token} {class} on a mat', undefined],
  ['a photo of sks dog', undefined],
  ['a photo of {token} {clas}', { kind: 'placeholder', name: '{clas}' }],
  ['{token} in {red|blue}', { kind: 'placeholder', name: '{red|blue}' }],
  ['a dog on a mat', { kind: 'untold' }],
  ['a photo of a {class}', { kind: 'untold' }],
] as const)('%s', (caption, fault) => {
  expect(captionFault(caption, 'sks')).toEqual(fault);
});
