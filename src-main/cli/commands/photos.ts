import path from 'node:path';
import type { PhotosReport } from '../../features/photos/photos.ts';
import { command } from '../command.ts';
import { file, operand } from '../options.ts';
import { scorerFiles } from '../../shipped.ts';
import { plural } from '../../../src-shared/plural.ts';

export const photos = command({
  name: 'photos',
  summary: 'check photos before a finetune, and say what to do',
  usage: 'DIR [OPTIONS]',
  examples: ['likeness photos photos/dog'],
  options: { folder: operand(file('DIR', 'a folder with photos of one subject; nothing in it is changed')) },
  request: ({ folder }) => ({ folder, mobileNet: scorerFiles.mobileNet }),
  run: async (request, context) => {
    const { checkPhotos } = await import('../../features/photos/photos.ts');
    const report = await checkPhotos(request, context);
    return { fields: { ...report }, text: describe(report) };
  },
});

function describe({ folder, photos, duplicates, variety, advice, ignored }: PhotosReport): string {
  const spread = variety['variety (MobileNetV2)'];
  const lines = photos.map((photo) => {
    const { path: file, width, height, crop, cropLoses, blur, brightness, mask, advice } = photo;
    const kept =
      width === height ? 'square' : `middle ${crop.size}×${crop.size}, loses ${Math.round(100 * cropLoses)}%`;
    const facts = `${width}×${height}, ${kept}, blur ${blur.toFixed(2)}, brightness ${brightness.toFixed(2)}${mask === null ? '' : `, mask ${Math.round(100 * mask)}%`}`;
    return `  ${path.basename(file)}: ${facts}${advice.length ? '' : ': good'}`;
  });
  return [
    `${folder}: ${plural(photos.length, 'photo', 'photos')}${spread === null ? '' : `, variety (MobileNetV2) ${Math.max(0, spread).toFixed(2)}`}`,
    ...lines,
    ...duplicates.map(([a, b]) => `  ${path.basename(a)} and ${path.basename(b)} are nearly the same`),
    ...ignored.map(
      (file) => `  ${path.basename(file)} is neither a photo nor a photo's mask, so it is ignored`,
    ),
    ...(advice.length
      ? ['What to do:', ...advice.map(({ message }) => `  ${message}`)]
      : ['Nothing to do: ready for a finetune.']),
  ].join('\n');
}
