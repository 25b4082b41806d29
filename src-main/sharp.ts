import { createRequire } from 'node:module';
import type { Sharp, SharpInput, SharpOptions } from 'sharp';

export type { Sharp };
type Open = (input: SharpInput | SharpOptions, options?: SharpOptions) => Sharp;
const load = createRequire(import.meta.url) as (name: 'sharp') => Open;

/** sharp, loaded by the first call: its sixty files and its library would take a quarter of the studio's start. */
export const sharp: Open = (...words) => load('sharp')(...words);
