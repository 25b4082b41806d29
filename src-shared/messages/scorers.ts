/** Networks, files and folders that pictures are measured with. */
export const scorerMessages = {
  'scorer.notOne': (d: { file: string; wanted: string }) =>
    `${d.file} is not ${d.wanted}; give the folder as it was downloaded, or as save_pretrained of model and processor wrote it.`,
  'scorer.size': (d: { folder: string; wanted: string; found: string }) =>
    `${d.folder}: its network wants pictures of ${d.wanted} pixels, its preprocessor_config.json makes them ${d.found}; take both files from one model.`,
  'evaluate.counts': (d: { file: string; lines: number; folder: string; pictures: number }) =>
    `${d.file} has ${d.lines} lines and ${d.folder} ${d.pictures} pictures; line i belongs to picture i in natural order of names, so write one line a picture.`,
  'evaluate.noPictures': (d: { folder: string }) =>
    `${d.folder} has no pictures to measure; give the folder that generate wrote to.`,
  'arrays.damaged': (d: { file: string; why: string }) =>
    `${d.file} can't be read as NumPy arrays: ${d.why}.`,
  'features.unfit': (d: { file: string; why: string }) =>
    `${d.file} can't be measured with: ${d.why}; it may hold features [pictures, d] and logits [pictures, classes], or mu [d] and sigma [d, d].`,
  'features.few': (d: { file: string; pictures: number }) =>
    `${d.file} holds ${d.pictures} pictures; distances between sets need two at least on each side.`,
};
