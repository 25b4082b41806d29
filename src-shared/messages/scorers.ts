import { plural } from '../plural.ts';

/** Networks, files and folders that pictures are measured with. */
export const scorerMessages = {
  'scorer.notOne': (d: { file: string; wanted: string }) =>
    `${d.file} is not ${d.wanted}; give the folder as downloaded, or as save_pretrained wrote it for both model and processor.`,
  'scorer.size': (d: { folder: string; wanted: string; found: string }) =>
    `${d.folder}: its network expects pictures of ${d.wanted} pixels, but its preprocessor_config.json makes them ${d.found}; take both files from one model.`,
  'dreambooth.noSubjects': (d: { folder: string }) =>
    `${d.folder} holds no folders; it needs a folder of photos for each subject.`,
  'dreambooth.noClass': (d: { subject: string; table: string }) =>
    `Nothing says what "${d.subject}" is. Write a line "${d.subject},dog" with its class into ${d.table}, or name the folder "10_sks dog".`,
  'evaluate.noRow': (d: { file: string; picture: string }) =>
    `${d.file} has no row for ${d.picture}; add one, or take the picture out of the folder.`,
  'evaluate.counts': (d: { file: string; lines: number; folder: string; pictures: number }) =>
    `${d.file} has ${plural(d.lines, 'line', 'lines')}, but ${d.folder} has ${plural(d.pictures, 'picture', 'pictures')}; write one line per picture, in the natural order of their names.`,
  'evaluate.noPictures': (d: { folder: string }) =>
    `${d.folder} has no pictures to measure; give the folder that generate wrote to.`,
  'arrays.damaged': (d: { file: string; why: string }) =>
    `${d.file} can't be read as NumPy arrays: ${d.why}; write it again.`,
  'features.unfit': (d: { file: string; why: string }) =>
    `${d.file} can't be used as a reference: ${d.why}. It may hold features [pictures, d] and logits [pictures, classes], or mu [d] and sigma [d, d].`,
  'features.few': (d: { file: string; pictures: number }) =>
    `${d.file} holds ${plural(d.pictures, 'picture', 'pictures')}; a distance between sets needs at least two on each side.`,
};
