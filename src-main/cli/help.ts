import type { Command } from './command.ts';
import type { Option, Options } from './options.ts';
import { commonOptions, writtenName } from './parse.ts';

const width = 100;

/** `likeness --help` */
export function overview(commands: readonly Command[], version: string): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    `likeness ${version}: teach an image model your subject, on this machine.`,
    '',
    'Usage: likeness COMMAND [OPTIONS]',
    '',
    ...table(rows),
    '',
    '"likeness COMMAND --help" explains one command; "likeness --version" prints the version.',
  ].join('\n');
}

/** `likeness COMMAND --help` */
export function commandHelp(command: Command): string {
  const rows = (options: Options) =>
    Object.entries(options).map((entry) => [left(...entry), right(entry[1])] as const);
  const own = rows(command.options);
  const common = rows(commonOptions);
  const column = Math.min(30, Math.max(...[...own, ...common].map(([name]) => name.length)) + 2);
  return [
    `${command.summary.replace(/^./, (letter) => letter.toUpperCase())}.`,
    '',
    `Usage: likeness ${command.name} ${command.usage}`,
    ...(own.length ? ['', 'Options', ...table(own, column)] : []),
    '',
    'Every command',
    ...table(common, column),
    ...(command.examples.length
      ? ['', 'Examples', ...command.examples.map((example) => `  ${example}`)]
      : []),
  ].join('\n');
}

function left(key: string, option: Option<unknown>): string {
  if (option.takes === 'operand') return option.placeholder;
  const value = option.placeholder.length > 24 ? 'NAME' : option.placeholder;
  return [writtenName(key, option), value + (option.takes === 'list' ? '…' : '')].join(' ').trimEnd();
}

function right(option: Option<unknown>): string {
  const notes = [
    option.placeholder.length > 24 ? option.placeholder.replaceAll('|', ' ') : '',
    option.takes === 'repeat' ? 'may be given again' : '',
    option.fallback !== undefined && option.takes !== 'switch' ? `default: ${option.fallback}` : '',
    option.required && option.takes !== 'operand' ? 'required' : '',
  ].filter(Boolean);
  return notes.length ? `${option.help} (${notes.join('; ')})` : option.help;
}

function table(rows: readonly (readonly [string, string])[], column = 12): string[] {
  return rows.flatMap(([name, text]) => {
    const lines = wrapped(text, width - column - 2);
    const indent = ' '.repeat(column + 2);
    const first = name.length < column ? [`  ${name.padEnd(column)}${lines.shift() ?? ''}`] : [`  ${name}`];
    return [...first, ...lines.map((line) => indent + line)];
  });
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}
