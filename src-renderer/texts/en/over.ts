/** Drawing over a picture. */
export const over = {
  title: 'Draw over a picture',
  choose: 'Choose a picture…',
  chooseHint: 'Put your subject into a photo of yours, or change a picture. You can also drop one here.',
  alt: 'The picture to draw over',
  size: (width: number, height: number) => `${width}×${height}`,
  all: 'The whole picture is drawn over.',
  masked: 'Only what you marked is drawn; the rest stays as it is.',
  paint: 'Mark what to draw',
  repaint: 'Change what is marked',
  remove: 'Don’t draw over it',
  strength: 'How much changes (%)',
  strengthHint: 'Low values keep shapes and colours; 100 redraws it all.',
  closely: 'Draw the marked part enlarged',
  closelyHint:
    'Better for small parts of large photos. Turn it off if the drawing should take in the whole picture.',
  drawOver: 'Draw over it',
  putIntoThis: 'Put it into this photo',
  putInto: (name: string) => `Put the subject into ${name}`,
  editor: {
    title: 'What to redraw',
    hints: {
      ellipse:
        'Drag an ellipse over what is to be drawn. Keyboard: arrow keys move it, Shift with arrow keys resizes it, Enter applies it.',
      rectangle:
        'Drag a rectangle over what is to be drawn. Keyboard: arrow keys move it, Shift with arrow keys resizes it, Enter applies it.',
      lasso:
        'Draw a line around what is to be drawn. Keyboard: arrow keys move, Enter sets a corner, Enter on the same spot closes the line.',
      brush:
        'Paint over what is to be drawn. Keyboard: arrow keys move the brush, Shift with arrow keys paints, Enter paints one dab, [ and ] change its size.',
    },
    marked: (percent: number) =>
      percent === 0
        ? 'Nothing is marked, so the whole picture is drawn over.'
        : `${percent}% of the picture is redrawn; the rest stays as it is.`,
    remove: 'Mark nothing',
    save: 'Done',
  },
};
