export const enlarge = {
  title: 'Enlarge',
  hint: 'Sharper than stretching. ×4 of a large picture takes a while.',
  no: 'No',
  times: (factor: number) => `×${factor}`,
  redraw: 'Redraw the enlarged picture (%)',
  redrawHint: (times: number) =>
    `Draws detail at the new size, where each step takes ${times} times as long. 0 only enlarges; 30 to 50 keeps what is there.`,
  copy: (factor: number) => `Enlarge ×${factor}`,
  done: (factor: number, percent: number) => `×${factor}${percent > 0 ? `, ${percent}% redrawn` : ''}`,
};
