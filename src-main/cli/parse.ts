import { problem } from '../../src-shared/messages/index.ts';
import { flag, type Given, type Option, type Options } from './options.ts';

/** Options of every command. */
export const commonOptions = {
  json: flag('print one JSON object per line on stdout, and nothing else'),
  quiet: flag('print no progress'),
  debug: flag('print the stack of an error'),
  help: flag('print this help'),
};

/** `classImages` → `--class-images`. */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Reads the words after the name of `command`. `--name value`, `--name=value`, `--no-name` for switches; `--` ends the options; a
 * single-valued option given twice counts with its last value. The result includes the values of `further` options. Throws
 * `usage.…` errors.
 */
export function parse<O extends Options>(
  argv: readonly string[],
  declared: O,
  command: string,
  further: Options = {},
): Given<O> {
  const options: Options = { ...further, ...declared, ...commonOptions };
  const words = wordsOf(argv, options, command);
  const given: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    const name = option.takes === 'operand' ? option.placeholder : optionName(key);
    const found = words.get(key);
    if (found) given[key] = option.read(found, name);
    else if (option.required) throw problem('usage.missingOption', { option: name, command });
  }
  return given as Given<O>;
}

/** The words given to each option, by its key, not read yet. Throws `usage.…` errors. */
export function wordsOf(
  argv: readonly string[],
  declared: Options,
  command: string,
): ReadonlyMap<string, readonly string[]> {
  const options: Options = { ...declared, ...commonOptions };
  const operands = Object.keys(options).filter((key) => options[key]?.takes === 'operand');
  const named = Object.entries(options).filter(([, { takes }]) => takes !== 'operand');
  const byName = new Map(named.map(([key, option]) => [optionName(key), { key, option }]));
  const words = new Map<string, string[]>();
  const loose: string[] = [];
  const add = (key: string, value: string) => void words.set(key, [...(words.get(key) ?? []), value]);

  for (let at = 0; at < argv.length; at++) {
    const token = argv[at] ?? '';
    if (token === '--') {
      loose.push(...argv.slice(at + 1));
      break;
    }
    if (token === '-h') {
      add('help', 'true');
      continue;
    }
    if (!token.startsWith('--')) {
      loose.push(token);
      continue;
    }
    const equals = token.indexOf('=');
    const name = equals < 0 ? token : token.slice(0, equals);
    const negated = byName.get(name.replace(/^--no-/, '--'));
    const found = byName.get(name) ?? (negated?.option.takes === 'switch' ? negated : undefined);
    if (!found) {
      const suggestion = closest(
        name,
        [...byName.values()].map(({ key, option }) => writtenName(key, option)),
      );
      throw problem('usage.unknownOption', { option: name, suggestion, command });
    }
    const { key, option } = found;
    if (option.takes === 'switch') {
      if (equals >= 0) throw problem('usage.unwantedValue', { option: name });
      add(key, String(byName.get(name) === found));
      continue;
    }
    const values = equals >= 0 ? [token.slice(equals + 1)] : wordsFrom(argv, at + 1, option.takes === 'list');
    if (!values.length)
      throw problem('usage.missingValue', { option: name, placeholder: option.placeholder });
    if (equals < 0) at += values.length;
    for (const value of values) add(key, value);
  }

  const surplus = loose[operands.length];
  if (surplus !== undefined) throw problem('usage.extraWord', { word: surplus, command });
  loose.forEach((word, place) => add(operands[place] ?? '', word));
  return words;
}

/** A switch that is on by default is written as its negation. */
export function writtenName(key: string, option: Option<unknown>): string {
  const negative = option.takes === 'switch' && option.fallback === 'true';
  return negative ? optionName(key).replace('--', '--no-') : optionName(key);
}

/** The words from `start` that belong to an option: one, or for a list all up to the next option. */
function wordsFrom(argv: readonly string[], start: number, list: boolean): string[] {
  let end = start;
  while (end < argv.length && !argv[end]?.startsWith('--') && (list || end === start)) end++;
  return argv.slice(start, end);
}

/** The candidate that `name` may be a misspelling of, if one is close. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 4))
    ? best.candidate
    : undefined;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
