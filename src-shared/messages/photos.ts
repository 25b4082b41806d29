/** Photos and pictures. */
export const photoMessages = {
  'photos.none': (d: { folder: string }) =>
    `${d.folder} has no photos; put 4 to 6 JPEG, PNG or WebP pictures of the subject into it.`,
};
