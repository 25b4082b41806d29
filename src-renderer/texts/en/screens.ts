export const screens = {
  welcome: 'Welcome',
  subjects: 'Subjects',
  train: 'Train',
  generate: 'Generate',
  gallery: 'Gallery',
  scores: 'Scores',
  models: 'Models',
  settings: 'Settings',
};
