import type { Asked, Declaration } from '../../src-shared/domain/settingSchema.ts';
import { askedType, isDerived, leavesOf, type Leaf } from '../../src-shared/domain/settingValues.ts';
import { nameOf, problem } from '../../src-shared/messages/index.ts';
import {
  badValue,
  choice,
  file,
  flag,
  integer,
  model,
  names,
  number,
  squareSize,
  text,
  word,
  type Option,
  type Options,
} from './options.ts';
import { optionName } from './parse.ts';

/** The options of a declaration's settings, and those that turn a part off. */
export function settingOptions(declaration: Declaration): Options {
  const options: Record<string, Option<unknown>> = {};
  for (const leaf of leavesOf(declaration)) {
    const off = leaf.part?.off;
    if (off) options[off.option] = flag(off.help, true);
    const key = keyOf(leaf);
    if (key !== null) options[key] = optionOf(leaf);
  }
  return options;
}

function keyOf({ path, setting: { option } }: Leaf): string | null {
  return option === undefined ? (path.at(-1) ?? '') : option;
}

/** Settings that name a model accept a Hub id too. */
const models = ['model', 'teacher', 'student'];

function optionOf({ path, setting }: Leaf): Option<unknown> {
  const { input, help, as = '', otherwise, default: value } = setting;
  const fallback = otherwise ?? wordsOf(value);
  const common = fallback === undefined ? {} : { fallback };
  switch (input.kind) {
    case 'number':
      return input.whole
        ? integer(as || 'N', help, { ...input, ...common })
        : number(as || 'X', help, { ...input, ...common });
    case 'side':
      return squareSize(help, { ...input, ...common });
    case 'choice':
      return choice(input.choices, help, common);
    case 'switch':
      return flag(help, value === true);
    case 'names':
      return names(as || 'A,B', help, common);
    case 'path':
      return (models.includes(path.at(-1) ?? '') ? model : file)(as || 'PATH', help, common);
    case 'word':
      return word(as || 'WORD', help, common);
    case 'text':
    case 'data':
      return text(as || 'TEXT', help, common);
  }
}

/** A default as `--help` shows it. */
function wordsOf(value: unknown): string | undefined {
  if (isDerived(value)) return value.text;
  if (Array.isArray(value)) return value.join();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * The settings given as options. Errors: `usage.conflict` for a setting that has no effect beside another, or that belongs to a part
 * that was turned off.
 */
export function settingsGiven<D extends Declaration>(
  declaration: D,
  given: Readonly<Record<string, unknown>>,
): Asked<D> {
  const asked: Record<string, unknown> = {};
  const named = leavesOf(declaration).flatMap((leaf) => {
    const key = keyOf(leaf);
    return key === null ? [] : [{ ...leaf, key }];
  });
  for (const { path, part } of named)
    if (part?.off && given[part.off.option] === false) asked[path[0]] = false;
  for (const { path, part, key } of named) {
    const value = given[key];
    if (value === undefined) continue;
    const [outer, inner] = path;
    if (part?.off && asked[outer] === false) refuse(key, part.off.option, false, true);
    if (inner === undefined) asked[outer] = value;
    else asked[outer] = { ...(asked[outer] as object | undefined), [inner]: value };
  }
  const optionFor = (setting: string): string =>
    named.find(({ path }) => path.join('.') === setting)?.key ?? setting;
  for (const { key, when } of named) {
    if (given[key] === undefined) continue;
    for (const [setting, wanted] of Object.entries(when)) {
      const [first, ...others] = [wanted].flat();
      const said = asked[setting];
      if (said !== undefined && said !== first && !others.includes(said))
        refuse(key, optionFor(setting), said, first);
    }
  }
  const parsed = askedType(declaration).safeParse(asked);
  if (parsed.success) return parsed.data;
  // What an option itself does not limit: the length of its text.
  const [issue] = parsed.error.issues;
  const key = optionFor((issue?.path ?? []).filter((step) => typeof step === 'string').join('.'));
  const most = issue?.code === 'too_big' ? Number(issue.maximum) : undefined;
  throw badValue(
    optionName(key),
    nameOf(String(given[key])),
    most === undefined ? (issue?.message ?? '') : `at most ${most} long`,
  );
}

function refuse(key: string, beside: string, said: unknown, wanted: unknown): never {
  const other = optionName(key);
  const why = `${other} needs ${written(beside, wanted)}`;
  throw problem('usage.conflict', { option: written(beside, said), other, why });
}

function written(key: string, value: unknown): string {
  if (typeof value === 'boolean') return optionName(value ? key : `no-${key}`);
  return `${optionName(key)} ${String(value)}`;
}
