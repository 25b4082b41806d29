import { providerChoices, type ProviderChoice } from '../../src-shared/domain/providers.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { choice, type Option } from './options.ts';

/** `--provider`, as several commands have it. */
export function provider(fallback: ProviderChoice): Option<ProviderChoice> {
  return choice(providerChoices, 'what to compute with; auto takes the fastest that works here', {
    fallback,
  });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** `values` without those that are undefined. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** Throws `usage.conflict` when any of `others` (option names as written) was given together with `option`. */
export function refuseTogether(option: string, others: Readonly<Record<string, unknown>>, why: string): void {
  const other = Object.keys(others).find((name) => others[name] !== undefined);
  if (other !== undefined) throw problem('usage.conflict', { option, other, why });
}
