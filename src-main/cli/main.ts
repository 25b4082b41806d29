import { commands } from './commands/index.ts';
import { exitStatus, forPeople, type ExitStatus } from './failure.ts';
import { commandHelp, overview } from './help.ts';
import { fetchMissing } from './hubOptions.ts';
import { optionWords, outputFor } from './output.ts';
import { closest, parse } from './parse.ts';
import { startAgain } from './startAgain.ts';
import { errorCode } from '../engine/checkpoints/files.ts';
import { hearProviders } from '../features/providers.ts';
import { computingEnvironment } from '../places.ts';
import { version } from '../shipped.ts';
import { problem, type LikenessError } from '../../src-shared/messages/index.ts';

const argv = process.argv.slice(2);
const words = optionWords(argv);
const output = outputFor(argv);
if (words.includes('--debug')) process.setSourceMapsEnabled(true);

async function main(): Promise<ExitStatus> {
  const wantsHelp = words.some((word) => word === '--help' || word === '-h');
  const place = words.findIndex((word) => !word.startsWith('-'));
  const length = commands.some(({ name }) => name === words.slice(place, place + 2).join(' ')) ? 2 : 1;
  const name = place < 0 ? undefined : words.slice(place, place + length).join(' ');
  const rest = argv.filter((_, index) => index < place || index >= place + length);
  if (name === undefined) {
    if (words.includes('--version')) return say(version);
    if (wantsHelp) return say(overview(commands, version));
    parse(words, {}, '');
    throw problem('usage.noCommand', {});
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    const group = commands.filter((candidate) => candidate.name.startsWith(`${name} `));
    if (group.length && wantsHelp) return say(overview(group, version));
    const names = commands.map((candidate) => candidate.name);
    throw problem('usage.unknownCommand', { command: name, suggestion: closest(name, names) });
  }
  if (wantsHelp) return say(commandHelp(command));
  const context = { report: output.report, signal: cancelOnSignals() };
  if (words.includes('--download')) await fetchMissing(rest, command.options, command.name, context);
  const run = command.prepare(rest);
  hearProviders(output.report);
  const outcome = await run(context);
  output.done(outcome);
  outcome.afterwards?.();
  return outcome.failure ? fail(outcome.failure) : 0;
}

function say(text: string): ExitStatus {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Ctrl-C asks the command to keep its work and end; a second one ends it at once. So does a closed stdout. */
function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  const cancel = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(problem('cancelled', {}));
  };
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  process.stdout.on('error', (error) => {
    const why = errorCode(error);
    controller.abort(why === 'EPIPE' ? problem('cancelled', {}) : unwritable(why));
  });
  return controller.signal;
}

function fail(thrown: unknown): ExitStatus {
  const error = forPeople(thrown);
  output.failed(error);
  return exitStatus(error);
}

/** Ends the process once stdout is written: native threads could keep it alive. A reader that has gone has all it wanted. */
function end(status: ExitStatus): void {
  process.exitCode = status;
  process.stdout.write('', (error) => {
    const why = unwritten ?? (error ? errorCode(error) : undefined);
    if (status !== 0 || why === undefined || why === 'EPIPE') process.exit(status);
    process.exit(fail(unwritable(why)));
  });
}

function unwritable(why: string): LikenessError {
  return problem('file.unwritable', { file: 'The output of this command', why });
}

/** Why stdout could not be written, if it could not. */
let unwritten: string | undefined;
process.stdout.on('error', (error) => (unwritten ??= errorCode(error)));
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => end(fail(error)));
const environment = computingEnvironment();
if (environment === process.env) end(await main().catch(fail));
else process.exit(await startAgain(environment));
