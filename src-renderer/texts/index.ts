import { en } from './en/index.ts';

/** Every text of the window has this shape. A translation is one more folder like en/, chosen here. */
export type Texts = typeof en;
export const texts: Texts = en;
