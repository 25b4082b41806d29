import * as z from 'zod';

const share = z.number().min(0).max(1);

/** A part of a picture, its sides as shares of the picture's: 0 is left and top. */
export const boxSchema = z
  .object({ left: share, top: share, right: share, bottom: share })
  .refine(({ left, top, right, bottom }) => left < right && top < bottom, 'a box has a width and a height');
export type Box = z.infer<typeof boxSchema>;
