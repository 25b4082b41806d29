export const common = {
  close: 'Close',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  undo: 'Undo',
  understood: 'Understood',
  name: 'Name',
  yes: 'yes',
  no: 'no',
  openFolder: 'Show in folder',
  remove: (name: string) => `Remove ${name}`,
  removed: (name: string) => `${name} was removed.`,
  rename: (name: string) => `Rename ${name}`,
};
