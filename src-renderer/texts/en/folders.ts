export const folders = {
  path: 'Path',
  go: 'Go',
  inside: 'In this folder',
  up: 'Folder above',
  empty: 'Nothing in here.',
  choose: 'Choose',
};
