import type { Id } from '../domain/id.ts';

/** Widths that thumbnails are made in, pixels. */
export const thumbnailWidths = [96, 192, 384, 768] as const;
export type ThumbnailWidth = (typeof thumbnailWidths)[number];

const sized = (path: string, width?: ThumbnailWidth): string =>
  width === undefined ? path : `${path}?w=${width}`;

/**
 * Addresses of pictures, the same in the app and in the browser. With `width`, a thumbnail (WebP) that the browser may cache for
 * ever; without, the file itself.
 */
export const fileUrls = {
  image: (id: Id, width?: ThumbnailWidth): string => sized(`/files/image/${id}`, width),
  /** Upright; a crop does not change it. */
  photo: (id: Id, width?: ThumbnailWidth): string => sized(`/files/photo/${id}`, width),
  mask: (photoId: Id): string => `/files/mask/${photoId}`,
  /** A picture that others are drawn over, or its mask. */
  original: (hash: string, width?: ThumbnailWidth): string => sized(`/files/original/${hash}`, width),
  sample: (runId: Id, step: number, width?: ThumbnailWidth): string =>
    sized(`/files/sample/${runId}/${step}`, width),
  /** Picture `index` of a checkpoint's scores; step 0 is the base model. */
  scored: (runId: Id, step: number, index: number, width?: ThumbnailWidth): string =>
    sized(`/files/scored/${runId}/${step}/${index}`, width),
  /** Pictures that a base model drew, side by side, as they came: what its folder brings along. */
  sheet: (modelId: Id): string => `/files/sheet/${modelId}`,
  /** All pictures of a job in one, once it was asked for. */
  grid: (jobId: Id): string => `/files/grid/${jobId}`,
  /** An export as a download: a file, or a folder as a .tar. */
  export: (id: Id): string => `/files/export/${id}`,
  /** The comparison beside an export: before, after, as read back. */
  receipt: (id: Id): string => `/files/receipt/${id}`,
};
