import path from 'node:path';
import type { Handlers, StudioContext } from '../context.ts';
import { Originals } from './originals.ts';

export function originalHandlers({ library }: StudioContext): Handlers<'originals'> {
  const { folder, images, photos, subjects } = library;
  const originals = new Originals(folder);
  return {
    'originals.keep': async (from) => {
      if ('data' in from) return originals.keepBytes(from.name, Buffer.from(from.data, 'base64'));
      if ('imageId' in from) return originals.keep(folder.at(images.detail(from.imageId).file));
      const { subjectId, name } = photos.get(from.photoId);
      return originals.keep(path.join(folder.photos(subjects.get(subjectId)), name));
    },
    'originals.keepMask': async ({ original, data }) => ({
      mask: await originals.keepMask(original, Buffer.from(data, 'base64')),
    }),
    'originals.find': async ({ hash }) => (await originals.find(hash)) ?? null,
  };
}
