export const compare = {
  title: 'Compare two pictures',
  view: 'View',
  views: { side: 'Side by side', wipe: 'Wipe', difference: 'Difference' },
  wipe: 'Wipe',
  gain: 'Brightness',
  picture: (place: number) => `Picture ${place}`,
  same: 'Their recipes are identical.',
  setting: 'Setting',
  left: 'First',
  right: 'Second',
};
