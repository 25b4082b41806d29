import { existsSync } from 'node:fs';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import type { NamedLoras } from '../../features/generation/request.ts';
import type { Library } from '../../storage/library.ts';

/** The library's runs and LoRA files as prompts name them: by name, or by a subject's name for its newest run. */
export function namedRuns({ runs, subjects, checkpoints, folder, loras }: Library): NamedLoras {
  const others = runs.list().flatMap((run) => {
    const step = run.pickedStep ?? checkpoints.list(run.id).at(-1)?.step;
    if (step === undefined) return [];
    const path = new RunFolder(folder.at(run.folder)).checkpointPath(step);
    return existsSync(path) ? [{ path, names: [run.name, subjects.get(run.subjectId).name] }] : [];
  });
  const files = loras.list().filter(({ kind, path }) => kind === 'lora' && existsSync(path));
  return {
    folders: [],
    others: [
      ...others.flatMap(({ path, names }) => names.map((name) => ({ name, path }))),
      ...files.map(({ name, path }) => ({ name, path })),
    ],
  };
}
