import { checkpointMessages } from './checkpoints.ts';
import { commandMessages } from './commands.ts';
import { compressionMessages } from './compression.ts';
import { distillationMessages } from './distillation.ts';
import { engineMessages } from './engine.ts';
import { exportMessages } from './exporting.ts';
import { generationMessages } from './generation.ts';
import { photoMessages } from './photos.ts';
import { scorerMessages } from './scorers.ts';
import { scoreMessages } from './scores.ts';
import { studioMessages } from './studio.ts';
import { teamMessages } from './team.ts';
import { trainingMessages } from './training.ts';

/** Error code → the sentence a person reads. Each sentence names the thing and says what to do. */
export const messages = {
  ...checkpointMessages,
  ...commandMessages,
  ...compressionMessages,
  ...distillationMessages,
  ...engineMessages,
  ...exportMessages,
  ...generationMessages,
  ...photoMessages,
  ...studioMessages,
  ...scorerMessages,
  ...scoreMessages,
  ...teamMessages,
  ...trainingMessages,
};

type Messages = typeof messages;
export type MessageCode = keyof Messages;
export type Details<C extends MessageCode> = Parameters<Messages[C]>[0];

/** An error meant for a person: `message` is its sentence from the table, `code` what programs test. */
export class LikenessError extends Error {
  override readonly name = 'LikenessError';
  constructor(
    readonly code: MessageCode,
    message: string,
    options?: ErrorOptions,
    /** The details of the sentence, so that the studio can use its own words. */
    readonly details?: object,
  ) {
    super(message, options);
  }
}

/** Makes the error for `code`; `throw problem('file.missing', { file })`. */
export function problem<C extends MessageCode>(code: C, details: Details<C>, cause?: unknown): LikenessError {
  const sentence = messages[code] as (details: Details<C>) => string;
  const message = oneLine(sentence(details));
  return new LikenessError(code, message, cause === undefined ? undefined : { cause }, details);
}

const longest = 600;

/** Names of unfinished files: `.NAME.PID.tmp` or `.NAME.tmp`, or a folder that may hold NAME itself. People know only NAME. */
const temporary = /(^|[\\/])\.([^\\/]+?)(?:\.\d+)?\.tmp(?:[\\/]\2(?![^\\/\s"]))?/g;

/** Messages quote names from files, which may hold anything: line breaks, terminal commands, a megabyte of x. */
export function oneLine(sentence: string): string {
  const known = sentence.replace(temporary, '$1$2');
  const plain = known.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
  if (plain.length <= longest) return plain;
  return `${plain.slice(0, longest / 2)} … ${plain.slice(-longest / 2)}`;
}

/** A value from a file as a name in messages; of anything but text, only its type is named. */
export function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 100) : typeof value;
}
