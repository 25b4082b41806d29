import type { Photo } from '../../../src-shared/domain/photo.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { StoredPhoto } from '../../storage/photos.ts';
import type { Handlers, StudioContext } from '../context.ts';
import { addPhotoBytes, addPhotos } from './addPhotos.ts';
import { markPhoto } from './markPhoto.ts';
import { keepMask } from './photoMasks.ts';
import { keepCaption, publicPhoto } from './photoCaption.ts';
import { PhotoReports } from './photoReport.ts';
import type { FolderWatch } from './watchFolders.ts';

export function photoHandlers(context: StudioContext, watch: FolderWatch): Handlers<'photos'> {
  const { library, emit } = context;
  const { photos, subjects, trash } = library;
  const fileOf = ({ subjectId, name }: StoredPhoto): string =>
    library.folder.at(subjects.get(subjectId).folder, 'photos', name);
  const reports = new PhotoReports(context, fileOf);
  const announced = (photo: StoredPhoto): Photo => {
    emit('photos.changed', { subjectId: photo.subjectId });
    return publicPhoto(photos.get(photo.id), fileOf(photo));
  };
  return {
    'photos.list': async ({ subjectId }) => {
      subjects.get(subjectId);
      const list = photos.list(subjectId);
      return {
        photos: list.map((photo) => publicPhoto(photo, fileOf(photo))),
        report: await reports.of(subjectId, list),
      };
    },
    'photos.addPaths': ({ subjectId, paths }) => addPhotos(context, subjectId, paths),
    'photos.addBytes': ({ subjectId, name, data }) =>
      addPhotoBytes(context, subjectId, name, Buffer.from(data, 'base64')),
    'photos.remove': ({ ids }) => {
      const found = ids.map((id) => photos.get(id));
      const undo = trash.remove('photos', ids);
      for (const subjectId of new Set(found.map((photo) => photo.subjectId))) {
        emit('photos.changed', { subjectId });
        emit('subjects.changed', subjects.get(subjectId));
      }
      return { undo };
    },
    'photos.setCrop': async ({ id, crop }) => {
      const photo = photos.get(id);
      if (crop && (crop.x + crop.side > photo.width || crop.y + crop.side > photo.height))
        throw problem('photos.badCrop', { name: photo.name });
      photos.setCrop(id, crop);
      if (!photo.missing) photos.setMarks(id, await markPhoto(fileOf(photo), { ...photo, crop }));
      return announced(photo);
    },
    'photos.setMask': async ({ id, data }) => {
      const photo = photos.get(id);
      photos.setMask(id, await keepMask(library, photo, data === null ? null : Buffer.from(data, 'base64')));
      return announced(photo);
    },
    'photos.setCaption': ({ id, caption }) => {
      const photo = photos.get(id);
      keepCaption(fileOf(photo), caption);
      return announced(photo);
    },
    'photos.watch': ({ subjectId, folder: watched }) => {
      const subject = subjects.change(subjectId, { watched });
      watch.set(subjectId, watched);
      emit('subjects.changed', subject);
      return subject;
    },
  };
}
