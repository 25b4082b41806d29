import { TorchGenerator } from './random.ts';

/**
 * A generator for one purpose of one run: what it draws depends on the run's seed and on `index` alone, so a step can
 * be repeated, or a run go on, without any state.
 */
export function generatorFor(seed: number, purpose: string, index = 0): TorchGenerator {
  // FNV-1a over the purpose and both numbers.
  let hash = 0x811c9dc5;
  for (const character of `${purpose}:${seed}:${index}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  return new TorchGenerator(hash >>> 0);
}
