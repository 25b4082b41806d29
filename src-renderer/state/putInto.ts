import type { Photo } from '../../src-shared/domain/photo.ts';
import { generation } from './generation.svelte.ts';
import { router } from './router.svelte.ts';
import { training } from './training.svelte.ts';
import { useRun } from './useRun.ts';

/** Makes the form of Generate ready to draw a photo's subject into it, and opens the mask editor: first comes where. */
export async function putInto(photo: Photo): Promise<void> {
  if (!(await generation.drawOver({ photoId: photo.id }))) return;
  const { draft } = generation;
  const runs = training.ofSubject(photo.subjectId).filter(({ checkpoints }) => checkpoints > 0);
  const [latest] = runs;
  const isChosen = draft.loras.some(({ runId }) => runs.some(({ id }) => id === runId));
  if (latest && !isChosen) useRun(latest, latest.pickedStep);
  Object.assign(draft, { grid: false, size: null });
  generation.painting = true;
  router.go('generate');
}
