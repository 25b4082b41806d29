import { plural } from './plural.ts';

export const masks = {
  open: (name: string) => `Mask ${name}`,
  has: 'mask',
  title: (name: string) => `Mask of ${name}`,
  toolbar: 'Painting',
  tool: 'Tool',
  tools: { ellipse: 'Ellipse', rectangle: 'Rectangle', lasso: 'Lasso', brush: 'Brush' },
  way: 'What the tool does',
  add: 'Add',
  erase: 'Erase',
  size: 'Brush size',
  pixels: (pixels: number) => plural(pixels, 'pixel', 'pixels'),
  zoom: 'How near',
  closer: 'Closer',
  farther: 'Farther',
  percent: (zoom: number) => `${Math.round(100 * zoom)} %`,
  whole: 'Whole photo',
  redo: 'Do again',
  invert: 'Invert',
  clear: 'Clear',
  area: (place: string) => `Photo to paint on. ${place}`,
  shapeAt: (tool: string, x: number, y: number, width: number, height: number) =>
    `${tool}: middle at ${x} % across and ${y} % down, ${width} % wide and ${height} % high`,
  pointAt: (tool: string, x: number, y: number) => `${tool} at ${x} % across and ${y} % down`,
  hints: {
    ellipse:
      'Drag an ellipse over the subject. By keyboard: arrows move it, with Shift they resize it, Enter applies it.',
    rectangle:
      'Drag a rectangle over the subject. By keyboard: arrows move it, with Shift they resize it, Enter applies it.',
    lasso:
      'Draw a line around the subject. By keyboard: arrows move, Enter sets a corner, Enter again closes the line.',
    brush:
      'Paint over the subject. By keyboard: arrows move the brush, with Shift they paint, Enter makes a dab, [ and ] size it.',
  },
  marked: (percent: number) =>
    percent === 0
      ? 'Nothing is marked: training learns the whole photo.'
      : `${percent} % of the photo is the subject; training learns less of the rest.`,
  question: 'Save what you painted?',
  goOn: 'Go on painting',
  discard: 'Throw it away',
  remove: 'Remove mask',
  save: 'Save mask',
  saved: (name: string) => `The mask of ${name} was saved.`,
  removed: (name: string) => `The mask of ${name} was removed.`,
};
