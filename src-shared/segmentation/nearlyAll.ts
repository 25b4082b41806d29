import type { Rgb } from './grabCut.ts';

/** The ellipse that stands for somebody's: nearly all of the photo, as shares of its half width and half height. */
const ellipse = { x: 0.94, y: 0.96 };

/** The rough mask of somebody who says nothing more than that the subject is in the photo: 0 or 255 for each pixel. */
export function nearlyAll({ width, height }: Pick<Rgb, 'width' | 'height'>): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) => {
    const x = (((at % width) + 0.5) / width) * 2 - 1;
    const y = ((Math.floor(at / width) + 0.5) / height) * 2 - 1;
    return (x / ellipse.x) ** 2 + (y / ellipse.y) ** 2 <= 1 ? 255 : 0;
  });
}
