import * as z from 'zod';

/** Sections that the studio shows settings in, from top to bottom. */
export const settingGroups = ['length', 'learning', 'lora', 'knowledge', 'pictures', 'optimizer'] as const;
export type SettingGroup = (typeof settingGroups)[number];

/** A default that depends on other settings; `text` describes it. */
export interface Derived<T> {
  readonly text: string;
  readonly from: (settings: Readonly<Record<string, unknown>>) => T;
}

/** Other settings, by key, and the values with which a setting has an effect. */
export type When = Readonly<Record<string, unknown>>;

interface About<T> {
  /** What it is, as `--help` says it. */
  readonly help: string;
  /** Its option on the command line, if not named after its key (`learningRate` → `--lr`); null: it has none. */
  readonly option?: string | null;
  /** Stands for the value in `--help`. */
  readonly as?: string;
  /** The value in a new run if none is given. */
  readonly default?: T | Derived<T>;
  /** For `--help`: what happens without a value, if there is no default. */
  readonly otherwise?: string;
  /** The value for a `run.json` without it: what runs did before this setting existed. */
  readonly before?: T;
  /** Where the studio shows it; it is not shown when left out. */
  readonly group?: SettingGroup;
  /** Only experts need it: the studio folds it away. */
  readonly advanced?: true;
  /** Left out: always. */
  readonly when?: When;
  /** May be null: none. */
  readonly none?: true;
  /** A model's or preset's value holds only with the same choice of these other settings, or one alike; otherwise the default applies again. */
  readonly meantFor?: readonly string[];
  /** Values of this setting that are alike to those that are meant for it. */
  readonly alike?: readonly T[];
  /** Whether a run may be resumed with another value: `anytime`, or only if the file it names has `moved`. Left out: never. */
  readonly change?: 'anytime' | 'moved';
}

/** The kind of value, for the command line's parser and the studio's field. */
export type Input =
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  | { readonly kind: 'side'; readonly min: number; readonly max: number; readonly multipleOf: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'switch' | 'word' | 'text' | 'names' | 'path' | 'data' };

/**
 * One setting, declared once: type, limits, default and names. The command line, `run.json` and the studio's fields follow from
 * it.
 */
export interface Setting<S extends z.ZodType = z.ZodType> extends About<z.output<S>> {
  readonly type: S;
  readonly input: Input;
}

/** Settings that belong together, as an object. With `off`, the whole part may be null. */
export interface Part<S extends z.ZodType = z.ZodType, D extends Declaration = Declaration> {
  readonly type: S;
  readonly settings: D;
  /** How the command line says it. */
  readonly off?: Pick<About<never>, 'help'> & { readonly option: string };
  readonly group?: SettingGroup;
  readonly when?: When;
}

export interface Declaration {
  readonly [key: string]: Setting | Part;
}

type Shape<D extends Declaration> = { [K in keyof D]: D[K]['type'] };
export type SettingsType<D extends Declaration> = z.ZodObject<Shape<D>, z.core.$strict>;
/** The settings of a run. */
export type Values<D extends Declaration> = z.output<SettingsType<D>>;
/** Settings of which any may be left out, at every level; `false` or null turns a part off. */
export type Asked<D extends Declaration> = {
  readonly [K in keyof D]?:
    | (D[K] extends Part<infer S, infer Inner>
        ? Asked<Inner> | (S extends z.ZodNullable ? false | null : never)
        : z.output<D[K]['type']>)
    | undefined;
};

/** Names of settings, such as "lora.rank", and of parts that can be turned off. */
export type SettingName<D extends Declaration> = {
  [K in keyof D & string]: D[K] extends Part<infer S, infer Inner>
    ? `${K}.${keyof Inner & string}` | (S extends z.ZodNullable ? K : never)
    : K;
}[keyof D & string];

export function isPart(entry: Setting | Part): entry is Part {
  return 'settings' in entry;
}

// Each takes what the setting is, as `--help` says it, then its limits, then what else there is to say.

type More<T> = Omit<About<T>, 'help'>;
type Limits = readonly [min: number, max: number];

export function whole(help: string, [min, max]: Limits, about: More<number> = {}): Setting<z.ZodInt> {
  const input = { kind: 'number', min, max, whole: true } as const;
  return { help, ...about, input, type: z.int().min(min).max(max) };
}

export function number(help: string, [min, max]: Limits, about: More<number> = {}): Setting<z.ZodNumber> {
  const input = { kind: 'number', min, max, whole: false } as const;
  return { help, ...about, input, type: z.number().min(min).max(max) };
}

/** Side of a square in pixels; the model's VAE decides which multiples work. */
export function side(help: string, [min, max]: Limits, about: More<number> = {}): Setting<z.ZodInt> {
  const input = { kind: 'side', min, max, multipleOf: 8 } as const;
  return { help, ...about, input, type: z.int().min(min).max(max) };
}

export function toggle(help: string, about: More<boolean>): Setting<z.ZodBoolean> {
  return { help, ...about, input: { kind: 'switch' }, type: z.boolean() };
}

export function choice<const T extends string>(
  choices: readonly T[],
  help: string,
  about: More<NoInfer<T>>,
): Setting<z.ZodEnum<{ [K in T]: K }>> {
  return { help, ...about, input: { kind: 'choice', choices }, type: z.enum(choices) };
}

/** One or a few words on one line. */
export function word(help: string, about: More<string>): Setting<z.ZodString> {
  return { help, ...about, input: { kind: 'word' }, type: z.string().max(200) };
}

export function text(help: string, about: More<string>): Setting<z.ZodString> {
  return { help, ...about, input: { kind: 'text' }, type: z.string().max(2000) };
}

/** Names with commas between them. */
export function names(
  help: string,
  about: More<readonly string[]>,
): Setting<z.ZodReadonly<z.ZodArray<z.ZodString>>> {
  const name = z.string().min(1).max(200);
  return { help, ...about, input: { kind: 'names' }, type: z.array(name).min(1).max(100).readonly() };
}

/** A file or a folder. */
export function path(help: string, about: More<string>): Setting<z.ZodString> {
  return { help, ...about, input: { kind: 'path' }, type: z.string().min(1) };
}

/** A value that is computed, not asked for. */
export function data<S extends z.ZodType>(type: S, help: string): Setting<S> {
  return { help, option: null, input: { kind: 'data' }, type };
}

/** May be left out. */
export function optional<S extends z.ZodType>({ type, ...rest }: Setting<S>): Setting<z.ZodOptional<S>> {
  return { ...rest, type: type.optional() };
}

/** May be null: none. */
export function orNone<S extends z.ZodType>(
  { type, ...rest }: Setting<S>,
  fallback: z.output<S> | null | Derived<z.output<S> | null> = null,
): Setting<z.ZodNullable<S>> {
  return { before: null, ...rest, none: true, type: type.nullable(), default: fallback };
}

type AboutPart = Pick<Part, 'group' | 'when'>;

export function part<const D extends Declaration>(
  settings: D,
  about: AboutPart = {},
): Part<SettingsType<D>, D> {
  return { ...about, settings, type: settingsType(settings) };
}

/** A part that can be turned off, on the command line by the option `off`. */
export function optionalPart<const D extends Declaration>(
  settings: D,
  off: NonNullable<Part['off']>,
  about: AboutPart = {},
): Part<z.ZodNullable<SettingsType<D>>, D> {
  return { ...about, off, settings, type: settingsType(settings).nullable() };
}

export function settingsType<D extends Declaration>(declaration: D): SettingsType<D> {
  const types = Object.entries(declaration).map(([key, { type }]) => [key, type]);
  // `fromEntries` forgets which key had which type.
  return z.strictObject(Object.fromEntries(types) as Shape<D>);
}
