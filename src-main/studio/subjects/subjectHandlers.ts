import { problem } from '../../../src-shared/messages/index.ts';
import type { Subject } from '../../../src-shared/domain/subject.ts';
import type { Handlers, StudioContext } from '../context.ts';
import { addPhotos } from '../photos/addPhotos.ts';
import { knownNouns } from './nouns.ts';
import { freeToken } from './tokens.ts';
import { writeSubjectFile } from '../../storage/subjectFile.ts';

export function subjectHandlers(context: StudioContext): Handlers<'subjects'> {
  const { library, queue, emit, shipped } = context;
  const { projects, subjects, trash, folder } = library;
  const announced = (subject: Subject): Subject => {
    writeSubjectFile(folder, subject);
    emit('subjects.changed', subject);
    return subject;
  };
  const newToken = (): string => freeToken(subjects.list().map(({ token }) => token));
  const firstProject = (): number => projects.list()[0]?.id ?? 1;
  let making: Promise<Subject> | undefined;
  const makeSample = async (): Promise<Subject> => {
    const { classNoun, photos } = shipped.sample;
    const name = `Sample ${classNoun}`;
    const { id } =
      subjects.sample() ??
      subjects.create({
        projectId: firstProject(),
        ...{ name, classNoun, token: newToken(), sample: true },
        folder: folder.claim('subjects', name),
      });
    // Even if the subject exists: an earlier attempt may have been cut off. Existing photos are not added twice.
    await addPhotos(context, id, [photos]);
    return announced(subjects.get(id));
  };
  return {
    'subjects.list': ({ projectId }) => subjects.list(projectId),
    'subjects.get': ({ id }) => subjects.get(id),
    'subjects.create': ({ projectId = firstProject(), name, classNoun = '', token = newToken() }) => {
      projects.get(projectId);
      return announced(
        subjects.create({ projectId, name, classNoun, token, folder: folder.claim('subjects', name) }),
      );
    },
    'subjects.createSample': () => (making ??= makeSample().finally(() => (making = undefined))),
    'subjects.nouns': () => {
      const { modelId } = library.settings.get();
      return knownNouns(modelId === null ? shipped.model : library.models.get(modelId).path);
    },
    'subjects.update': ({ id, ...changes }) => {
      if (changes.projectId !== undefined) projects.get(changes.projectId);
      return announced(subjects.change(id, changes));
    },
    'subjects.remove': ({ id }) => {
      const { name } = subjects.get(id);
      if (queue.isBusy({ subjectId: id })) throw problem('subject.busy', { name });
      const undo = trash.remove('subjects', [id]);
      emit('subjects.removed', { id });
      return { undo };
    },
  };
}
