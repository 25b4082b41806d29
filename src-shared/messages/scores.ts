/** Scores of a run's checkpoints. */
export const scoreMessages = {
  'score.noPhotos': (d: { folder: string }) =>
    `${d.folder} was trained on recorded batches, so there are no photos to compare with; give a folder of them with --photos.`,
};
