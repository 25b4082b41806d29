import { plural } from '../../../src-shared/plural.ts';

export const masks = {
  open: (name: string) => `Mask ${name}`,
  has: 'mask',
  title: (name: string) => `Mask for ${name}`,
  toolbar: 'Painting',
  tool: 'Tool',
  tools: { ellipse: 'Ellipse', rectangle: 'Rectangle', lasso: 'Lasso', brush: 'Brush' },
  way: 'Mode',
  add: 'Add',
  erase: 'Erase',
  size: 'Brush size',
  pixels: (pixels: number) => plural(pixels, 'pixel', 'pixels'),
  zoom: 'Zoom',
  closer: 'Zoom in',
  farther: 'Zoom out',
  percent: (zoom: number) => `${Math.round(100 * zoom)}%`,
  whole: 'Whole photo',
  redo: 'Redo',
  snap: 'Snap to the edge',
  snapHint:
    'Finds the edge of what you marked: an ellipse around the subject, or a few strokes over it. With nothing marked, it looks for the subject in the whole photo.',
  invert: 'Invert',
  clear: 'Clear',
  area: (place: string) => `Photo to paint on. ${place}`,
  shapeAt: (tool: string, x: number, y: number, width: number, height: number) =>
    `${tool}: middle at ${x}% across and ${y}% down, ${width}% wide and ${height}% high`,
  pointAt: (tool: string, x: number, y: number) => `${tool} at ${x}% across and ${y}% down`,
  hints: {
    ellipse:
      'Drag an ellipse over the subject. Keyboard: arrow keys move it, Shift with arrow keys resizes it, Enter applies it.',
    rectangle:
      'Drag a rectangle over the subject. Keyboard: arrow keys move it, Shift with arrow keys resizes it, Enter applies it.',
    lasso:
      'Draw a line around the subject. Keyboard: arrow keys move, Enter sets a corner, Enter on the same spot closes the line.',
    brush:
      'Paint over the subject. Keyboard: arrow keys move the brush, Shift with arrow keys paints, Enter paints one dab, [ and ] change its size.',
  },
  marked: (percent: number) =>
    percent === 0
      ? 'Nothing is marked. "Snap to the edge" looks for the subject.'
      : `${percent}% of the photo is the subject; training learns less from the rest.`,
  question: 'Save what you painted?',
  goOn: 'Keep painting',
  discard: 'Discard',
  remove: 'Remove mask',
  save: 'Save mask',
  saved: (name: string) => `The mask for ${name} was saved.`,
  removed: (name: string) => `The mask for ${name} was removed.`,
};
