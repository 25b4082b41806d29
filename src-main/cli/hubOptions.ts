import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import { readHubId } from '../../src-shared/domain/hubId.ts';
import { isHere } from '../features/download/hubCache.ts';
import { flag, type Options } from './options.ts';
import { wordsOf } from './parse.ts';

/** Options of every command that takes Hub ids. */
export const hubOptions = {
  download: flag('download what a Hub id names, if it is not on this machine'),
  login: flag('for downloads: use the Hub login of this machine (HF_TOKEN, or hf auth login)'),
};

/** The same, if any of the options takes a Hub id. */
export function hubOptionsFor(options: Options): Options {
  return Object.values(options).some(({ hub }) => hub) ? hubOptions : {};
}

/** With `--download`, fetches the Hub ids among the words that are not on this machine. Errors: those of `fetchModel`. */
export async function fetchMissing(
  argv: readonly string[],
  options: Options,
  command: string,
  context: JobContext,
): Promise<void> {
  const words = wordsOf(argv, options, command);
  if (words.get('download')?.at(-1) !== 'true') return;
  const login = words.get('login')?.at(-1) === 'true';
  for (const [key, { hub }] of Object.entries(options))
    for (const word of hub ? (words.get(key) ?? []) : []) {
      const named = hub?.(word) ?? word;
      const id = readHubId(named);
      if (!id || isHere(named)) continue;
      const { fetchModel } = await import('../features/download/fetchModel.ts');
      context.report({ type: 'note', message: `Fetching ${named} from the Hub` });
      await fetchModel({ ...id, login }, context);
    }
}
