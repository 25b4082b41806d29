import type { JobContext } from '../../src-shared/domain/jobEvents.ts';
import type { LikenessError } from '../../src-shared/messages/index.ts';
import { hubOptionsFor } from './hubOptions.ts';
import type { Given, Options } from './options.ts';
import { parse } from './parse.ts';

/** The result of a command: `fields` go into the JSON line `done`, `text` is for people. */
export interface Outcome {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Set where the command has a result but did not succeed. */
  readonly failure?: LikenessError;
  /** Called once the result has been printed: a command that is killed before then continues where it was. */
  readonly afterwards?: () => void;
}

interface Spec<O extends Options, R> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly examples?: readonly string[];
  readonly options: O;
  /** More options, whose values are read by name. */
  readonly further?: Options;
  /** Makes the request from the given values. Throws `usage.…` for options that do not go together. */
  readonly request: (given: Given<O>) => R;
  readonly run: (request: R, context: JobContext) => Promise<Outcome>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly examples: readonly string[];
  readonly options: Options;
  /** Reads the words after the command's name, then returns what will run. Throws `usage.…` errors. */
  readonly prepare: (argv: readonly string[]) => (context: JobContext) => Promise<Outcome>;
}

/** The required options; help begins with them. */
function requiredOf(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, { required }]) => required));
}

/** Declares a command; its options are read and checked before anything runs. */
export function command<O extends Options, R>(spec: Spec<O, R>): Command {
  const { name, summary, usage, options, examples = [] } = spec;
  const own = { ...spec.further, ...options };
  const further = { ...spec.further, ...hubOptionsFor(own) };
  return {
    ...{ name, summary, usage, examples, options: { ...requiredOf(options), ...own, ...further } },
    prepare: (argv) => {
      const request = spec.request(parse(argv, options, name, further));
      return (context) => spec.run(request, context);
    },
  };
}
