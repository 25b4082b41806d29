import { plural } from '../plural.ts';

/** Scores of a run's checkpoints, and what each of its photos does. */
export const scoreMessages = {
  'score.noPhotos': (d: { folder: string }) =>
    `${d.folder} was trained on recorded batches, so there are no photos to compare with; give a folder of them with --photos.`,
  'score.photosOfOne': (d: { folder: string }) =>
    `${d.folder} has several subjects, and --photos is a folder of one; leave it out. If photos have moved, say where they are with finetune --resume --subject DIR:CLASS:TOKEN.`,
  'influence.noPhotos': (d: { folder: string }) =>
    `${d.folder} was trained on recorded batches, so it has no photos that could help or hurt; give a run that was trained on photos.`,
  'influence.fewPhotos': (d: { photos: string; count: number; fewest: number }) =>
    `${d.photos} has ${plural(d.count, 'photo', 'photos')}, but fewer than ${d.fewest} can't be compared with each other; add photos and train again.`,
  'influence.nothingLearnt': (d: { folder: string; steps: number }) =>
    `In ${plural(d.steps, 'step', 'steps')} with its settings, ${d.folder} learns nothing from its photos, so none can help or hurt; give more steps with --steps.`,
};
