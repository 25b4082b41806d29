import { z } from 'zod';

/** Sections that the studio shows settings in, from top to bottom. */
export const settingGroups = ['length', 'learning', 'lora', 'knowledge', 'pictures', 'optimizer'] as const;
export type SettingGroup = (typeof settingGroups)[number];

/** A default that follows other settings; `text` says it in words. */
export interface Derived<T> {
  readonly text: string;
  readonly from: (settings: Readonly<Record<string, unknown>>) => T;
}

/** Other settings, by key, and the values with which a setting has an effect. */
export type When = Readonly<Record<string, unknown>>;

interface About<T> {
  /** What it is, as `--help` says it. */
  readonly help: string;
  /** Its name on the command line where that is not its key's (`learningRate` → `--lr`); null: it has none there. */
  readonly option?: string | null;
  /** Stands for the value in `--help`. */
  readonly as?: string;
  /** The value of a new run where nobody says one. */
  readonly default?: T | Derived<T>;
  /** For `--help`: what holds where there is no default. */
  readonly otherwise?: string;
  /** What runs did from before there was this setting: the value of a `run.json` without it. */
  readonly before?: T;
  /** Where the studio shows it; left out: the studio does not ask for it. */
  readonly group?: SettingGroup;
  /** For those who know what it does: the studio folds it away. */
  readonly advanced?: true;
  /** Left out: always. */
  readonly when?: When;
  /** May be null: none. */
  readonly none?: true;
  /** Another setting that a model's or a preset's value is meant for: with another choice of that one, the default holds again. */
  readonly meantFor?: string;
  /** Whether a run may go on with another value: `anytime`, or when the file it names has `moved`. Left out: never. */
  readonly change?: 'anytime' | 'moved';
}

/** How a value is written: what the command line reads and which field the studio shows. */
export type Input =
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly whole: boolean;
      readonly multipleOf?: number;
    }
  | { readonly kind: 'side'; readonly min: number; readonly max: number; readonly multipleOf: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'switch' | 'word' | 'text' | 'names' | 'path' | 'data' };

/** One setting: type, limits, default and names, said once. The command line, `run.json` and the studio's fields follow from it. */
export interface Setting<S extends z.ZodType = z.ZodType> extends About<z.output<S>> {
  readonly type: S;
  readonly input: Input;
}

/** Settings that belong together, an object of their own; with `off`, there may be none of them: null. */
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
/** Settings of which any may be left out, at every level; `false` or null asks for none of a part. */
export type Asked<D extends Declaration> = {
  readonly [K in keyof D]?:
    | (D[K] extends Part<infer S, infer Inner>
        ? Asked<Inner> | (S extends z.ZodNullable ? false | null : never)
        : z.output<D[K]['type']>)
    | undefined;
};

/** Names of settings, "lora.rank" too, and of parts that may be none. */
export type SettingName<D extends Declaration> = {
  [K in keyof D & string]: D[K] extends Part<infer S, infer Inner>
    ? `${K}.${keyof Inner & string}` | (S extends z.ZodNullable ? K : never)
    : K;
}[keyof D & string];

export function isPart(entry: Setting | Part): entry is Part {
  return 'settings' in entry;
}

interface Limits {
  readonly min: number;
  readonly max: number;
}

type Whole = Limits & { readonly multipleOf?: number };

export function whole({ min, max, multipleOf, ...about }: About<number> & Whole): Setting<z.ZodInt> {
  const type = multipleOf === undefined ? z.int() : z.int().multipleOf(multipleOf);
  const input = { kind: 'number', min, max, whole: true, ...(multipleOf && { multipleOf }) } as const;
  return { ...about, input, type: type.min(min).max(max) };
}

export function number({ min, max, ...about }: About<number> & Limits): Setting<z.ZodNumber> {
  return {
    ...about,
    input: { kind: 'number', min, max, whole: false },
    type: z.number().min(min).max(max),
  };
}

/** Pixels of a square's side; what multiples a model can take, its VAE says. */
export function side({ min, max, ...about }: About<number> & Limits): Setting<z.ZodInt> {
  return {
    ...about,
    input: { kind: 'side', min, max, multipleOf: 8 },
    type: z.int().min(min).max(max),
  };
}

export function toggle(about: About<boolean>): Setting<z.ZodBoolean> {
  return { ...about, input: { kind: 'switch' }, type: z.boolean() };
}

export function choice<const T extends string>(
  choices: readonly T[],
  about: About<NoInfer<T>>,
): Setting<z.ZodEnum<{ [K in T]: K }>> {
  return { ...about, input: { kind: 'choice', choices }, type: z.enum(choices) };
}

/** One or a few words on one line. */
export function word(about: About<string>): Setting<z.ZodString> {
  return { ...about, input: { kind: 'word' }, type: z.string().max(200) };
}

export function text(about: About<string>): Setting<z.ZodString> {
  return { ...about, input: { kind: 'text' }, type: z.string().max(2000) };
}

/** Names with commas between them. */
export function names(about: About<readonly string[]>): Setting<z.ZodReadonly<z.ZodArray<z.ZodString>>> {
  const name = z.string().min(1).max(200);
  return { ...about, input: { kind: 'names' }, type: z.array(name).min(1).max(100).readonly() };
}

/** A file or a folder. */
export function path(about: About<string>): Setting<z.ZodString> {
  return { ...about, input: { kind: 'path' }, type: z.string().min(1) };
}

/** What is worked out from other things, and only kept. */
export function data<S extends z.ZodType>(type: S, about: About<z.output<S>>): Setting<S> {
  return { ...about, input: { kind: 'data' }, type };
}

/** May be left out. */
export function optional<S extends z.ZodType>({ type, ...rest }: Setting<S>): Setting<z.ZodOptional<S>> {
  return { ...rest, type: type.optional() };
}

/** May be null: none. */
export function orNone<S extends z.ZodType>(
  { type, ...rest }: Setting<S>,
  fallback: z.output<S> | null | Derived<z.output<S> | null>,
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

/** Settings that a run may have none of; `off` turns them off on the command line. */
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
