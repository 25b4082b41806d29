/** Sizes of likeness-mini that data and measurements share; the networks' own stand in `train/`. */

/** Pixels. */
export const side = 128;

/** Of a prompt, its beginning and end included: captions have some ten words, and every token more is paid for in each cross-attention. */
export const promptTokens = 32;

/** Most words of the byte-pair vocabulary. */
export const vocabularySize = 2048;
