import { command } from '../command.ts';
import { file, operand, required, word } from '../options.ts';

export const mask = command({
  name: 'mask',
  summary: "find a subject's edge in a photo, by itself or from an ellipse or strokes",
  usage: 'PHOTO --out FILE.png [--ellipse X,Y,WIDTH,HEIGHT | --strokes FILE.png] [OPTIONS]',
  examples: [
    'likeness mask photos/dog/00.jpg --out photos/dog/masks/00.png',
    'likeness mask photos/dog/01.jpg --ellipse 120,80,400,520 --out photos/dog/masks/01.png',
    'likeness mask photos/dog/02.jpg --strokes rough.png --out photos/dog/masks/02.png',
  ],
  options: {
    photo: operand(file('PHOTO', 'the photo')),
    out: required(file('FILE.png', 'the mask: white where the subject is')),
    ellipse: word(
      'X,Y,WIDTH,HEIGHT',
      'an ellipse drawn around the subject: its box in pixels of the upright photo',
    ),
    strokes: file('FILE.png', 'a picture of the photo’s shape, white where you painted over the subject'),
  },
  request: (given) => given,
  run: async (request) => {
    const { makeMask } = await import('../../features/photos/makeMask.ts');
    const { share } = await makeMask(request);
    const text = `${request.out}: ${Math.round(100 * share)}% of ${request.photo} is the subject`;
    return { fields: { path: request.out, share }, text };
  },
});
