import type { JobEvent, ProgressEvent } from '../../src-shared/domain/jobEvents.ts';
import { TimeLeft } from '../../src-shared/domain/timeLeft.ts';
import type { LikenessError } from '../../src-shared/messages/index.ts';
import type { Outcome } from './command.ts';
import { plural } from '../../src-shared/plural.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** Seconds between lines of progress where they can't be overwritten. */
const logEvery = 10;

/**
 * Where a command's output goes. With `json`, stdout carries one JSON object per line and nothing else. Text for people goes to
 * stderr, except the result, which goes to stdout without `json`.
 */
export class Output {
  private readonly terminal = process.stderr.isTTY && !process.env['CI'];
  private readonly clock = new TimeLeft();
  private lastStep = '';
  private lineOpen = false;
  private lastLogged = performance.now() / 1000;

  constructor(private readonly options: OutputOptions) {}

  readonly report = (event: JobEvent): void => {
    if (event.type === 'plan') return this.clock.plan(event.phases);
    if (event.type === 'progress') {
      const { label, done, total } = event;
      const left = this.clock.secondsLeft(label ?? '', done, total, performance.now() / 1000);
      const eta = Math.round((left ?? 0) * 10) / 10;
      this.json({ type: 'progress', ...(label === undefined ? {} : { label }), done, total, eta });
      this.progress(event, left);
      return;
    }
    this.json(event);
    if (event.type === 'step')
      this.lastStep = `  loss ${(event.smoothed ?? event.loss).toFixed(4)}  ${event.seconds.toFixed(2)} s/step`;
    else if (event.type === 'measured')
      this.people(
        `Loss on the photos, with the same noise each time: ${event.loss.toFixed(4)} ${event.step === 0 ? 'before training' : `after ${plural(event.step, 'step', 'steps')}`}`,
      );
    else if (event.type === 'warning') this.people(`Warning: ${event.message}`);
    else if (event.type === 'note') this.people(event.message);
    else this.people(`${event.type} at step ${event.step}: ${event.path}`);
  };

  done({ fields, text }: Outcome): void {
    this.json({ type: 'done', ...fields });
    this.closeLine();
    if (!this.options.json) process.stdout.write(`${text}\n`);
    else this.people(text);
  }

  /** One sentence; the stack, and what caused it, with `--debug` only. */
  failed(error: LikenessError): void {
    this.json({ type: 'error', code: error.code, message: error.message });
    this.closeLine();
    process.stderr.write(`${error.message}\n`);
    if (!this.options.debug) return;
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
      process.stderr.write(`${cause.stack ?? cause.message}\n`);
  }

  private json(value: object): void {
    if (this.options.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  private people(line: string): void {
    if (this.options.quiet) return;
    this.closeLine();
    process.stderr.write(`${line}\n`);
  }

  private progress({ label = 'working', done, total }: ProgressEvent, seconds: number | null): void {
    // The JSON lines tell progress already.
    if (this.options.quiet || (this.options.json && !this.terminal)) return;
    const left = done < total && seconds !== null ? `  ${duration(seconds)} left` : '';
    const line = `${label} ${Math.floor(done)}/${total}${this.lastStep}${left}`;
    if (this.terminal) {
      process.stderr.write(`\r\x1b[K${line}`);
      this.lineOpen = true;
      if (done >= total) this.closeLine();
      return;
    }
    const now = performance.now() / 1000;
    if (now - this.lastLogged < logEvery) return;
    this.lastLogged = now;
    process.stderr.write(`${line}\n`);
  }

  private closeLine(): void {
    if (this.lineOpen) process.stderr.write('\n');
    this.lineOpen = false;
    this.lastStep = '';
  }
}

/** The words of a command line that may be options: those before `--`. */
export function optionWords(argv: readonly string[]): readonly string[] {
  return argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
}

/** The output that a command line asks for. */
export function outputFor(argv: readonly string[]): Output {
  const words = optionWords(argv);
  return new Output({
    json: words.includes('--json'),
    quiet: words.includes('--quiet'),
    debug: words.includes('--debug'),
  });
}

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
