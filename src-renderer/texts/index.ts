import { en } from './en.ts';

/** Every text of the window has this shape; a translation is one more file like en.ts, chosen here. */
export type Texts = typeof en;
export const texts: Texts = en;
