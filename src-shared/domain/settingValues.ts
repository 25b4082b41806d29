import * as z from 'zod';
import { problem } from '../messages/index.ts';
import {
  isPart,
  settingsType,
  type Asked,
  type Declaration,
  type Part,
  type Setting,
  type Values,
  type When,
} from './settingSchema.ts';

type Loose = Readonly<Record<string, unknown>>;

/** A setting with its path, such as `lora.rank`, and what applies to its part. */
export interface Leaf {
  readonly path: readonly [string] | readonly [string, string];
  readonly setting: Setting;
  readonly when: When;
  readonly group?: Setting['group'];
  readonly part?: Part;
}

/** Every setting of a declaration, in order. */
export function leavesOf(declaration: Declaration): Leaf[] {
  return Object.entries(declaration).flatMap(([key, entry]): Leaf[] => {
    const { group, when = {} } = entry;
    if (!isPart(entry)) return [{ path: [key], setting: entry, when, group }];
    return Object.entries(entry.settings).flatMap(([inner, setting]) =>
      isPart(setting)
        ? []
        : [{ path: [key, inner], setting, group, part: entry, when: { ...when, ...setting.when } }],
    );
  });
}

/** The value at a path; undefined in a part that is off. */
export function valueAt(settings: Loose, [key, inner]: Leaf['path']): unknown {
  const value = settings[key];
  return inner === undefined ? value : asLoose(value)?.[inner];
}

/** Whether a setting has an effect beside others. */
export function holds(when: When, settings: Loose): boolean {
  return Object.entries(when).every(([key, wanted]) => [wanted].flat().includes(settings[key]));
}

/**
 * Completes settings: each value comes from the first layer that has it, or else from the defaults. An empty part counts as left
 * out. Errors: `training.badSettings`.
 */
export function completeSettings<D extends Declaration>(
  declaration: D,
  ...layers: readonly Asked<NoInfer<D>>[]
): Values<D> {
  return checkedSettings(declaration, completed(declaration, layers));
}

function completed(declaration: Declaration, layers: readonly Loose[]): Loose {
  /** The value of a setting in the layers from `first` on. */
  const from = (first: number, key: string): unknown =>
    layers.slice(first).find((layer) => layer[key] !== undefined)?.[key] ?? plainDefault(declaration[key]);
  const saidOf = (key: string): unknown => {
    const besides = meantFor(declaration[key]);
    const fits = (i: number): boolean =>
      besides.every((other) => areAlike(declaration[other], from(i, other), from(0, other)));
    return layers.find((layer, i) => layer[key] !== undefined && fits(i))?.[key];
  };
  const said: Loose = Object.fromEntries(Object.keys(declaration).map((key) => [key, saidOf(key)]));
  let values: Loose = {};
  for (const [key, entry] of Object.entries(declaration)) {
    const value = isPart(entry)
      ? completedPart(entry, layers, key)
      : said[key] === undefined
        ? defaultOf(entry, { ...said, ...values })
        : said[key];
    values = { ...values, [key]: value };
  }
  return values;
}

function meantFor(entry: Setting | Part | undefined): readonly string[] {
  return entry && !isPart(entry) ? (entry.meantFor ?? []) : [];
}

function areAlike(entry: Setting | Part | undefined, a: unknown, b: unknown): boolean {
  const alike: readonly unknown[] = entry && !isPart(entry) ? (entry.alike ?? []) : [];
  return a === b || (alike.includes(a) && alike.includes(b));
}

function plainDefault(entry: Setting | Part | undefined): unknown {
  return entry && !isPart(entry) && !isDerived(entry.default) ? entry.default : undefined;
}

function completedPart({ settings }: Part, layers: readonly Loose[], key: string): Loose | null {
  const [first, ...others] = layers
    .map((layer) => layer[key])
    .filter((one) => one !== undefined && !isEmpty(one));
  if (first === false || first === null) return null;
  return completed(
    settings,
    [first, ...others].map(asLoose).filter((one) => one !== undefined),
  );
}

function defaultOf({ default: value }: Setting, settings: Loose): unknown {
  return isDerived(value) ? value.from(settings) : value;
}

export function isDerived(value: unknown): value is { text: string; from: (settings: Loose) => unknown } {
  return typeof value === 'object' && value !== null && 'from' in value;
}

/** Errors: `training.badSettings` with each setting that is wrong. */
export function checkedSettings<D extends Declaration>(declaration: D, settings: unknown): Values<D> {
  const parsed = settingsType(declaration).safeParse(settings);
  if (!parsed.success) throw problem('training.badSettings', { why: faultOf(parsed.error) });
  return parsed.data;
}

/** Parses settings from a file or a database, which may be older than some of them. */
export function parseSettings<D extends Declaration>(
  declaration: D,
  kept: unknown,
): { readonly settings: Values<D> } | { readonly fault: string } {
  const parsed = settingsType(declaration).safeParse(brought(declaration, kept));
  return parsed.success ? { settings: parsed.data } : { fault: faultOf(parsed.error) };
}

/** The stored settings that can be read; for the rest, `fallback` and then the defaults. */
export function salvagedSettings<D extends Declaration>(
  declaration: D,
  kept: unknown,
  fallback: Asked<NoInfer<D>>,
): Values<D> {
  const whole = Object.entries(asLoose(brought(declaration, kept)) ?? {}).filter(
    ([key, value]) => declaration[key]?.type.safeParse(value).success,
  );
  return checkedSettings(declaration, completed(declaration, [Object.fromEntries(whole), fallback]));
}

/** Adds missing settings with the values that older runs used. */
function brought(declaration: Declaration, kept: unknown): unknown {
  const known = asLoose(kept);
  if (!known) return kept;
  const missing = Object.entries(declaration).flatMap(([key, entry]) => {
    if (isPart(entry)) {
      if (key in known) return [[key, brought(entry.settings, known[key])] as const];
      if (entry.off) return [[key, null] as const];
      const inner = asLoose(brought(entry.settings, {})) ?? {};
      return Object.keys(inner).length > 0 ? [[key, inner] as const] : [];
    }
    return known[key] === undefined && entry.before !== undefined ? [[key, entry.before] as const] : [];
  });
  return { ...known, ...Object.fromEntries(missing) };
}

/** What is wrong, with names: "lora.rank: …; steps: …". */
export function faultOf({ issues }: z.ZodError): string {
  return issues
    .flatMap((issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map(
          (key) => `${[...issue.path, key].join('.')}: this version knows no such setting`,
        );
      const what = issue.message.replace(/received undefined$/, 'found nothing');
      return [`${issue.path.join('.') || 'settings'}: ${what}`];
    })
    .join('; ');
}

/** The type of settings of which any may be left out, at every level. */
export function askedType<D extends Declaration>(declaration: D): z.ZodType<Asked<D>> {
  const types = Object.entries(declaration).map(([key, entry]) => {
    if (!isPart(entry)) return [key, entry.type.optional()];
    const inner = askedType(entry.settings);
    return [key, (entry.off ? z.union([z.literal([false, null]), inner]) : inner).optional()];
  });
  // `fromEntries` forgets which key had which type.
  return z.strictObject(Object.fromEntries(types)) as unknown as z.ZodType<Asked<D>>;
}

/**
 * A run's settings with the requested changes, where these are allowed: the setting does not affect the weights, or it is a file
 * that has moved (`isThere` checks that). Errors: `run.otherSetting` for anything else.
 */
export function changedSettings<D extends Declaration>(
  declaration: D,
  own: Values<NoInfer<D>>,
  asked: Asked<NoInfer<D>>,
  { folder, isThere }: { readonly folder: string; readonly isThere: (path: string) => boolean },
): Values<D> {
  const is: Loose = own;
  const changes: Record<string, unknown> = {};
  for (const [key, wanted] of Object.entries(asked as Loose)) {
    const entry = declaration[key];
    if (entry === undefined || wanted === undefined || isEmpty(wanted)) continue;
    if (mayChange(entry, is[key], isThere)) changes[key] = wanted;
    else refuseOther(folder, key, is[key] ?? null, wanted === false && isPart(entry) ? null : wanted);
  }
  return checkedSettings(declaration, { ...own, ...changes });
}

function mayChange(entry: Setting | Part, value: unknown, isThere: (path: string) => boolean): boolean {
  if (isPart(entry) || entry.change === undefined) return false;
  return entry.change === 'anytime' || (typeof value === 'string' && !isThere(value));
}

function refuseOther(folder: string, setting: string, is: unknown, wanted: unknown): void {
  const [own, other] = [asLoose(is), asLoose(wanted)];
  if (own && other) {
    for (const [key, value] of Object.entries(other))
      refuseOther(folder, `${setting}.${key}`, own[key], value);
    return;
  }
  if (JSON.stringify(is) === JSON.stringify(wanted)) return;
  const words = (value: unknown): string => JSON.stringify(value ?? 'nothing');
  throw problem('run.otherSetting', { folder, setting, is: words(is), wanted: words(wanted) });
}

function asLoose(value: unknown): Loose | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : undefined;
}

function isEmpty(value: unknown): boolean {
  const part = asLoose(value);
  return part !== undefined && Object.values(part).every((inner) => inner === undefined);
}
