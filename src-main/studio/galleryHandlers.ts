import { sha256 } from '../engine/checkpoints/contentHash.ts';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { recipeSchema } from '../../src-shared/domain/recipe.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { readTexts } from '../engine/pictures/png.ts';
import type { Handlers, StudioContext } from './context.ts';

export function galleryHandlers({ library, emit }: StudioContext): Handlers<'gallery'> {
  const { images, subjects, trash } = library;
  /** Subjects are shown with their number of pictures. */
  const tellCounts = (ids: ReadonlySet<number | null>): void => {
    for (const subject of subjects.list()) if (ids.has(subject.id)) emit('subjects.changed', subject);
  };
  return {
    'gallery.page': ({ filter, order, after, limit }) => images.page(filter, order, limit, after),
    'gallery.ids': ({ filter, order }) => images.ids(filter, order),
    'gallery.get': ({ ids }) => images.get(ids),
    'gallery.detail': ({ id }) => images.detail(id),
    'gallery.favourite': ({ ids, favourite }) => {
      images.setFavourite(ids, favourite);
      emit('gallery.changed', { ids });
      return {};
    },
    'gallery.remove': ({ ids }) => {
      const counted = new Set(images.get(ids).map(({ subjectId }) => subjectId));
      const undo = trash.remove('images', ids);
      emit('gallery.removed', { ids });
      tellCounts(counted);
      return { undo };
    },
    'gallery.readRecipe': ({ name, data }) => {
      const bytes = Buffer.from(data, 'base64');
      if (bytes.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n')
        throw problem('picture.notPng', { file: name });
      const text = readTexts(bytes).get('likeness');
      if (text === undefined) throw problem('picture.noRecipe', { file: name });
      const json = fromJson(text);
      if (json === undefined) throw problem('picture.badRecipe', { file: name, why: 'it is not JSON' });
      const recipe = recipeSchema.safeParse(json);
      if (!recipe.success) throw problem('picture.badRecipe', { file: name, why: 'it is not a recipe' });
      const hash = sha256(bytes);
      return { recipe: recipe.data, imageId: images.byHash(hash)?.id ?? null };
    },
  };
}
