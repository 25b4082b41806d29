import type { SamplingOptions } from './textToImage.ts';

/** The decoder's share of the time that a picture takes. */
const decoding = 0.1;

/**
 * Tells how many of `total` pictures are done, with parts of those that are being drawn. All of a batch are denoised together, so whole
 * ones alone would say nothing for minutes; a picture is whole once it is decoded. `onPicture` is called for each that is done with.
 */
export function pictureProgress(
  total: number,
  report: (done: number) => void,
): { readonly onStep: NonNullable<SamplingOptions['onStep']>; readonly onPicture: () => void } {
  let whole = 0;
  let denoised = 0;
  let last = 0;
  const tell = (): void => {
    const done = Math.max(last, (1 - decoding) * denoised + decoding * whole);
    last = whole === total ? total : Math.round(done * 1000) / 1000;
    report(last);
  };
  tell();
  return {
    onStep: (done, of) => {
      denoised = (done / of) * total;
      tell();
    },
    onPicture: () => {
      whole++;
      tell();
    },
  };
}
