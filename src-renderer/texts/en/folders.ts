export const folders = {
  path: 'Path',
  go: 'Go',
  inside: 'In this folder',
  up: 'Parent folder',
  empty: 'This folder is empty.',
  choose: 'Choose',
  places: { home: 'Home', hub: 'Hugging Face cache' },
  hidden: 'Show hidden folders',
  notFolder: 'This is a file. Choose a folder.',
};
