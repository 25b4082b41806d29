export const folders = {
  path: 'Path',
  go: 'Go',
  inside: 'In this folder',
  up: 'Parent folder',
  empty: 'This folder is empty.',
  choose: 'Choose',
};
