import type { Command } from './command.ts';
import { doctor } from './commands/doctor.ts';
import { exitStatus, forPeople, type ExitStatus } from './failure.ts';
import { commandHelp, overview } from './help.ts';
import { Output } from './output.ts';
import { closest } from './parse.ts';
import { version } from './shipped.ts';
import { problem } from '../../src-shared/messages/index.ts';

const commands: readonly Command[] = [doctor];

const argv = process.argv.slice(2);
const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
const output = new Output({
  json: words.includes('--json'),
  quiet: words.includes('--quiet'),
  debug: words.includes('--debug'),
});
if (words.includes('--debug')) process.setSourceMapsEnabled(true);

async function main(): Promise<ExitStatus> {
  const [name, ...rest] = argv;
  const wantsHelp = words.some((word) => word === '--help' || word === '-h');
  if (name === '--version') return say(version);
  if (name === undefined || name.startsWith('-')) {
    if (wantsHelp) return say(overview(commands, version));
    if (name === undefined) throw problem('usage.noCommand', {});
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    const suggestion = closest(
      name,
      commands.map((candidate) => candidate.name),
    );
    throw problem('usage.unknownCommand', { command: name, suggestion });
  }
  if (wantsHelp) return say(commandHelp(command));
  const run = command.prepare(rest);
  output.done(await run({ report: output.report, signal: cancelOnSignals() }));
  return 0;
}

function say(text: string): ExitStatus {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** Ctrl-C asks the command to keep its work and end; a second one ends at once. So does a reader of stdout that left. */
function cancelOnSignals(): AbortSignal {
  const controller = new AbortController();
  const cancel = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(problem('cancelled', {}));
  };
  process.on('SIGINT', cancel);
  process.on('SIGTERM', cancel);
  process.stdout.on('error', () => {
    if (!controller.signal.aborted) cancel();
  });
  return controller.signal;
}

function fail(thrown: unknown): ExitStatus {
  const error = forPeople(thrown);
  output.failed(error);
  return exitStatus(error);
}

/** Ends the process once stdout has taken everything: native threads may keep it alive for no reason. */
function end(status: ExitStatus): void {
  process.exitCode = status;
  process.stdout.write('', () => process.exit(status));
}

process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => end(fail(error)));
end(await main().catch(fail));
