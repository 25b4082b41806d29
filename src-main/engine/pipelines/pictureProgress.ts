import type { SamplingOptions } from './textToImage.ts';

/** The decoder's share of the time that a picture takes. */
const decoding = 0.1;

/**
 * Reports how many of `total` pictures are done, counting parts of those being drawn: a batch is denoised together, so whole
 * pictures alone would report nothing for minutes. A picture is whole once it is decoded. Call `onPicture` for each that is
 * finished.
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
