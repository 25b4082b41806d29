/** Scores of a run's checkpoints. */
export const scoreMessages = {
  'score.noPhotos': (d: { folder: string }) =>
    `${d.folder} was trained on recorded batches, so there are no photos to compare with; give a folder of them with --photos.`,
  'score.photosOfOne': (d: { folder: string }) =>
    `${d.folder} has several subjects, and --photos is a folder of one; leave it out. If photos have moved, say where they are with finetune --resume --subject DIR:CLASS:TOKEN.`,
};
