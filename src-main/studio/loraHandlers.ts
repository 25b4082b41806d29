import { existsSync } from 'node:fs';
import type { LoraFile } from '../../src-shared/domain/loraFile.ts';
import type { Report } from '../features/inspect/inspect.ts';
import type { StoredLoraFile } from '../storage/loraFiles.ts';
import type { Handlers, StudioContext } from './context.ts';
import { sizeOf } from './sizeOf.ts';

const withState = (file: StoredLoraFile): LoraFile => ({ ...file, available: existsSync(file.path) });

export function listLoras({ library: { loras } }: Pick<StudioContext, 'library'>): LoraFile[] {
  return loras.list().map(withState);
}

export function loraHandlers(context: StudioContext): Handlers<'loras'> {
  const { library, emit } = context;
  const { loras, trash } = library;
  return {
    'loras.list': () => listLoras(context),
    'loras.rename': ({ id, name }) => {
      const file = withState(loras.rename(id, name));
      emit('loras.changed', listLoras(context));
      return file;
    },
    'loras.remove': ({ id }) => {
      loras.get(id);
      const undo = trash.remove('loras', [id]);
      emit('loras.changed', listLoras(context));
      return { undo };
    },
  };
}

/** Puts a LoRA file or an embedding that was looked at on the list. */
export function putLora(
  context: Pick<StudioContext, 'library' | 'emit'>,
  found: Extract<Report, { kind: 'lora' | 'embedding' }>,
  name: string,
): void {
  const { path, problems } = found;
  const about =
    found.kind === 'lora'
      ? [
          found.methods.join(', '),
          ...(found.ranks.length > 0 ? [`rank ${found.ranks.join(', ')}`] : []),
        ].join(', ')
      : `${found.vectors} × ${found.width}`;
  const words = found.kind === 'lora' ? found.embeddings : [found.word];
  context.library.loras.put({
    ...{ name, kind: found.kind, path, about, words: [...words], bytes: sizeOf(path) },
    problems: [...problems],
  });
  context.emit('loras.changed', listLoras(context));
}
