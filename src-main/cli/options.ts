import { generationLimits } from '../../src-shared/domain/generationLimits.ts';
import { readHubId } from '../../src-shared/domain/hubId.ts';
import { modelPlace } from '../features/download/hubCache.ts';
import { givenPath } from '../places.ts';
import { problem } from '../../src-shared/messages/index.ts';

/** One option of a command, declared once: parsing, checks and help follow from it. */
export interface Option<T> {
  readonly help: string;
  /**
   * `switch`: no word. `one`: a word. `repeat`: a word, again and again. `list`: one or more words, again and again.
   * `operand`: is itself a word, without a name before it.
   */
  readonly takes: 'switch' | 'one' | 'repeat' | 'list' | 'operand';
  /** Stands for the value in the help text. */
  readonly placeholder: string;
  /** The default, for the help text. */
  readonly fallback?: string;
  readonly required?: boolean;
  /** Set if its words may be Hub ids: finds the id in a word. */
  readonly hub?: (word: string) => string;
  /** The value of the given words; `name` is the option as written. Throws `usage.badValue`. */
  readonly read: (words: readonly string[], name: string) => T;
}

/** Keyed by name in camelCase: `classImages` is written `--class-images`. */
export type Options = Readonly<Record<string, Option<unknown>>>;

type ValueOf<O> = O extends Option<infer T> ? T : never;
type Required<O> = { [K in keyof O]: O[K] extends { readonly required: true } ? K : never }[keyof O];

/** The given values: required options always, others only where they were named. */
export type Given<O> = { readonly [K in Required<O>]: ValueOf<O[K]> } & {
  readonly [K in Exclude<keyof O, Required<O>>]?: ValueOf<O[K]>;
};

interface Common {
  readonly fallback?: string | number;
}

interface Range extends Common {
  readonly min: number;
  readonly max: number;
  /** The value must be a multiple of this. */
  readonly multipleOf?: number;
}

function one<T>(
  placeholder: string,
  help: string,
  common: Common,
  read: (word: string, name: string) => T,
): Option<T> {
  const fallback = common.fallback === undefined ? {} : { fallback: String(common.fallback) };
  return {
    help,
    takes: 'one',
    placeholder,
    ...fallback,
    read: (words, name) => read(words.at(-1) ?? '', name),
  };
}

/** The error of an option whose value is not what was `expected`. */
export function badValue(option: string, value: string, expected: string): Error {
  return problem('usage.badValue', { option, value, expected });
}

export function required<T>(option: Option<T>): Option<T> & { readonly required: true } {
  return { ...option, required: true };
}

/** A word that stands alone: `likeness inspect PATH`. */
export function operand<T>(option: Option<T>): Option<T> & { readonly required: true } {
  return { ...option, takes: 'operand', required: true };
}

/** An option that may be given again; its value is the array of all. */
export function repeated<T>(option: Option<T>): Option<T[]> {
  return {
    ...option,
    takes: 'repeat',
    read: (words, name) => words.map((word) => option.read([word], name)),
  };
}

/** A switch. Every switch that is `true` by itself is turned off with `--no-NAME`. */
export function flag(help: string, fallback = false): Option<boolean> {
  return {
    help,
    takes: 'switch',
    placeholder: '',
    fallback: String(fallback),
    read: (words) => words.at(-1) === 'true',
  };
}

/** Any text, empty too. */
export function text(placeholder: string, help: string, common: Common = {}): Option<string> {
  return one(placeholder, help, common, (word) => word);
}

/** One or more texts, each a shell word: `--prompt "a dog" "a cat"`. */
export function texts(placeholder: string, help: string): Option<readonly string[]> {
  return { help, takes: 'list', placeholder, read: (words) => words };
}

/** A text that is not empty, without line breaks. */
export function word(placeholder: string, help: string, common: Common = {}): Option<string> {
  return one(placeholder, help, common, (value, name) => {
    if (!value.trim() || /[\r\n]/.test(value)) throw badValue(name, value, 'a word or a few, on one line');
    return value.trim();
  });
}

/** A comma-separated list of names. */
export function names(placeholder: string, help: string, common: Common = {}): Option<readonly string[]> {
  return one(placeholder, help, common, (value, name) => {
    const parts = value.split(',').map((part) => part.trim());
    if (parts.some((part) => !part)) throw badValue(name, value, 'names with a comma between them');
    return parts;
  });
}

const isAddress = (value: string): boolean => /^https?:\/\//i.test(value);

/** A file or folder, as an absolute path. Whether it exists is checked where it is read. */
export function file(placeholder: string, help: string, common: Common = {}): Option<string> {
  return one(placeholder, help, common, (value, name) => {
    if (!value || value.includes('\0')) throw badValue(name, value, 'a path');
    if (isAddress(value)) throw badValue(name, value, 'a path on this machine; download the file first');
    return givenPath(value);
  });
}

/** A model or anything else from the Hub: a path, or the Hub id of something on this machine. Errors: `model.notHere`. */
export function model(placeholder: string, help: string, common: Common = {}): Option<string> {
  const { read } = file(placeholder, help);
  const option = one(placeholder, help, common, (value, name) => {
    if (isAddress(value) && !readHubId(value))
      throw badValue(
        name,
        value,
        'a path on this machine (download the file first) or a Hub id (owner/name)',
      );
    if (!readHubId(value)) read([value], name);
    return modelPlace(value);
  });
  return { ...option, hub: (word) => word };
}

export function number(placeholder: string, help: string, range: Range): Option<number> {
  return one(placeholder, help, range, (value, name) => {
    const parsed = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : NaN;
    if (parsed >= range.min && parsed <= range.max) return parsed;
    throw badValue(name, value, `a number from ${range.min} to ${range.max}`);
  });
}

export function integer(placeholder: string, help: string, range: Range): Option<number> {
  const multiple = range.multipleOf ?? 1;
  const kind = multiple === 1 ? 'a whole number' : `a multiple of ${multiple}`;
  return one(placeholder, help, range, (value, name) => {
    const parsed = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
    if (parsed >= range.min && parsed <= range.max && parsed % multiple === 0) return parsed;
    throw badValue(name, value, `${kind} from ${range.min} to ${range.max}`);
  });
}

export function choice<T extends string | number>(
  values: readonly T[],
  help: string,
  common: Common = {},
): Option<T> {
  return one(values.join('|'), help, common, (value, name) => {
    const found = values.find((candidate) => String(candidate) === value);
    if (found === undefined) throw badValue(name, value, `one of ${values.join(', ')}`);
    return found;
  });
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The side of a square as `512` or `512x512`. */
export function squareSize(help: string, range: Range): Option<number> {
  const { min, max, multipleOf = 1 } = range;
  return one('WxH', help, range, (value, name) => {
    const [, first = '', second = first] = /^(\d+)(?:[x×](\d+))?$/i.exec(value) ?? [];
    const side = first === '' || first !== second ? NaN : Number(first);
    if (side >= min && side <= max && side % multipleOf === 0) return side;
    throw badValue(
      name,
      value,
      `a square: a multiple of ${multipleOf} from ${min} to ${max}, once or as SIDExSIDE`,
    );
  });
}

/** Pixels as `512x768`, or `512` for a square; multiples of 8, as the VAE needs. */
export function pictureSize(help: string, common: Common = {}): Option<PictureSize> {
  return one('WxH', help, common, (value, name) => {
    const [width = NaN, height = width] = /^\d+([x×]\d+)?$/i.test(value)
      ? value.split(/[x×]/i).map(Number)
      : [];
    const { min, max, multipleOf } = generationLimits.side;
    const fits = (side: number) => side >= min && side <= max && side % multipleOf === 0;
    if (!fits(width) || !fits(height))
      throw badValue(name, value, `WIDTHxHEIGHT, each a multiple of ${multipleOf} from ${min} to ${max}`);
    return { width, height };
  });
}
