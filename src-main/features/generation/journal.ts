import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { isLeftover } from '../../engine/checkpoints/leftovers.ts';
import { ofUnfinishedBatches } from '../../engine/pipelines/batchSize.ts';

/** What must be the same where a command goes on, though nobody said it. */
export interface Choices {
  readonly seed: number;
  /** Pictures at once: a picture's last bits depend on which are drawn with it. */
  readonly batch: number;
}

const headType = z.object({ key: z.string(), seed: z.int().min(0), batch: z.int().min(1) });
const lineType = z.object({ index: z.int().min(0), file: z.string() });
const nameOf = (pid: number): string => `.pictures.${pid}.tmp`;

/**
 * Which pictures of a request are there, in a file beside them until all are. The next command that asks for the same goes on where
 * one was killed or cancelled, to the same bits, and draws nothing beside what is there.
 */
export class Journal {
  private constructor(
    private readonly file: string,
    readonly choices: Choices,
    /** Pictures that an interrupted command had finished: their files by index. */
    readonly before: ReadonlyMap<number, string>,
  ) {}

  /** `request`: all that a picture's bits follow from. `fresh`: what is chosen where no command was interrupted. */
  static open(folder: string, request: unknown, fresh: () => Choices): Journal {
    const key = createHash('sha256').update(JSON.stringify(request)).digest('hex');
    const file = path.join(folder, nameOf(process.pid));
    for (const name of readdirSync(folder)) {
      if (!/^\.pictures\.\d+\.tmp$/.test(name) || !isLeftover(name)) continue;
      const begun = read(path.join(folder, name));
      if (begun?.key !== key || !took(path.join(folder, name), file)) continue;
      const there = begun.made.filter((made) => existsSync(path.join(folder, made.file)));
      return new Journal(
        file,
        begun,
        new Map(there.map((made) => [made.index, path.join(folder, made.file)])),
      );
    }
    const { seed, batch } = fresh();
    writeFileSync(file, `${JSON.stringify({ key, seed, batch })}\n`);
    return new Journal(file, { seed, batch }, new Map());
  }

  /**
   * Of all pictures those that are still to be drawn, and with them the rest of their batches, so that all have the bits that they
   * would have had. `missing`: those whose files are not there, where names say which they are.
   */
  unfinished<Picture>(all: readonly Picture[], missing?: readonly Picture[]): Picture[] {
    const isThere = (index: number): boolean =>
      this.before.has(index) && !missing?.includes(all[index] as Picture);
    return ofUnfinishedBatches(all.length, this.choices.batch, isThere).map((index) => all[index] as Picture);
  }

  /** Picture `index` is about to be there. */
  made(index: number, file: string): void {
    appendFileSync(this.file, `${JSON.stringify({ index, file: path.basename(file) })}\n`);
  }

  /** All are there. */
  end(): void {
    rmSync(this.file, { force: true });
  }
}

function read(file: string): (z.output<typeof headType> & { made: z.output<typeof lineType>[] }) | undefined {
  const [head, ...lines] = readFileSync(file, 'utf8').split('\n').map(parsed);
  const begun = headType.safeParse(head).data;
  return begun && { ...begun, made: lines.flatMap((line) => lineType.safeParse(line).data ?? []) };
}

/** A line may have been cut. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whether this process has it now: two may want to go on. */
function took(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
