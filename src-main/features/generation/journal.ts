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
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import { isLeftover } from '../../engine/checkpoints/leftovers.ts';
import { ofUnfinishedBatches } from '../../engine/pipelines/batchSize.ts';

/** Choices nobody made, which must stay the same when a command continues. */
export interface Choices {
  readonly seed: number;
  /** Pictures at once: a picture's last bits depend on its batch. */
  readonly batch: number;
}

const headType = z.object({ key: z.string(), seed: z.int().min(0), batch: z.int().min(1) });
const lineType = z.object({ index: z.int().min(0), file: z.string() });
const nameOf = (pid: number): string => `.pictures.${pid}.tmp`;

/**
 * A file beside the pictures that lists which are finished, until all are. After a kill, the next command that asks for the same
 * continues there, to the same bits, and draws no picture twice.
 */
export class Journal {
  private constructor(
    private readonly file: string,
    readonly choices: Choices,
    /** Pictures that an interrupted command had finished: their files by index. */
    readonly before: ReadonlyMap<number, string>,
  ) {}

  /** `request`: all that determines a picture's bits. `fresh`: choices for a new command. */
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
   * The pictures that are still to be drawn, with the rest of their batches, so that all get the bits they would have had.
   * `missing`: pictures whose files are not there, where files have given names.
   */
  unfinished<Picture>(all: readonly Picture[], missing?: readonly Picture[]): Picture[] {
    const isThere = (index: number): boolean =>
      this.before.has(index) && !missing?.includes(all[index] as Picture);
    return ofUnfinishedBatches(all.length, this.choices.batch, isThere).map((index) => all[index] as Picture);
  }

  /** Picture `index` is about to be written. */
  made(index: number, file: string): void {
    appendFileSync(this.file, `${JSON.stringify({ index, file: path.basename(file) })}\n`);
  }

  /** All pictures are there. */
  end(): void {
    rmSync(this.file, { force: true });
  }
}

/** A last line that was cut off is ignored. */
function read(file: string): (z.output<typeof headType> & { made: z.output<typeof lineType>[] }) | undefined {
  const [head, ...lines] = readFileSync(file, 'utf8').split('\n').map(fromJson);
  const begun = headType.safeParse(head).data;
  return begun && { ...begun, made: lines.flatMap((line) => lineType.safeParse(line).data ?? []) };
}

/** Whether this process got it: two may want to continue. */
function took(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
