import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { sha256 } from '../../engine/checkpoints/contentHash.ts';
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import { orNothing } from '../../../src-shared/orNothing.ts';
import { isLeftover } from '../../engine/checkpoints/leftovers.ts';
import { isWholePng } from '../../engine/pictures/png.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { readF32 } from '../../engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../engine/checkpoints/writeSafetensors.ts';
import type { HostTensor } from '../../engine/tensor/tensor.ts';

/** Choices nobody made, which must stay the same when a command continues. */
export interface Choices {
  readonly seed: number;
  /** Pictures at once: a picture's last bits depend on its batch. */
  readonly batch: number;
}

const headType = z.object({ key: z.string(), seed: z.int().min(0), batch: z.int().min(1) });
const lineType = z.object({ index: z.int().min(0), file: z.string() });

/**
 * A folder beside the pictures, `.pictures.PID.tmp`, that lists which are finished until all are. After a kill, the next command that
 * asks for the same continues there, to the same bits, and draws no picture twice.
 */
export class Journal {
  private constructor(
    private readonly out: string,
    private readonly folder: string,
  ) {}

  /** `request`: all that was asked for. */
  static open(out: string, request: unknown): Journal {
    const key = hash(request);
    const folder = path.join(out, `.pictures.${process.pid}.tmp`);
    rmSync(folder, { recursive: true, force: true });
    const begun = readdirSync(out).find(
      (name) =>
        /^\.pictures\.\d+\.tmp$/.test(name) &&
        isLeftover(name) &&
        orNothing(() => readFileSync(path.join(out, name, 'request'), 'utf8')) === key &&
        took(path.join(out, name), folder),
    );
    if (begun === undefined) {
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'request'), key);
    }
    return new Journal(out, folder);
  }

  /**
   * The request's part `index`: pictures of one model. `bits`: all that determines them; where that has changed, none are finished.
   * `fresh`: choices for a new part.
   */
  part(index: number, bits: unknown, fresh: () => Choices): JournalPart {
    const file = path.join(this.folder, `${index}.jsonl`);
    const key = hash(bits);
    const [head, ...lines] = (orNothing(() => readFileSync(file, 'utf8')) ?? '').split('\n').map(fromJson);
    const begun = headType.safeParse(head).data;
    if (begun?.key === key) {
      // A line that was cut off is ignored.
      const made = lines.flatMap((line) => lineType.safeParse(line).data ?? []);
      const there = made
        .map((one) => [one.index, path.join(this.out, one.file)] as const)
        .filter(([, picture]) => isWholePng(picture));
      return new JournalPart(file, begun, new Map(there));
    }
    const { seed, batch } = fresh();
    writeFileSync(file, JSON.stringify({ key, seed, batch }));
    return new JournalPart(file, { seed, batch }, new Map());
  }

  /** All pictures are there. */
  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class JournalPart {
  constructor(
    private readonly file: string,
    readonly choices: Choices,
    /** Pictures that an interrupted command had finished: their files by index. */
    readonly before: ReadonlyMap<number, string>,
  ) {}

  /** Picture `index` is about to be written; `latents` where those are wanted too. */
  made(index: number, file: string, latents?: HostTensor<'f32'>): void {
    if (latents) writeSafetensors(this.latentsFile(index), [{ name: 'latents', tensor: latents }]);
    // On a line of its own: a kill may have cut off the one before.
    appendFileSync(this.file, `\n${JSON.stringify({ index, file: path.basename(file) })}`);
  }

  /** The final latents [1,c,h,w] of a picture that was made. */
  latentsOf(index: number): HostTensor<'f32'> | undefined {
    const file = this.latentsFile(index);
    const entry = existsSync(file) && readSafetensors(file).tensors.get('latents');
    return entry ? readF32(entry) : undefined;
  }

  private latentsFile(index: number): string {
    return `${this.file.slice(0, -'.jsonl'.length)}-${index}.safetensors`;
  }
}

const hash = (value: unknown): string => sha256(JSON.stringify(value));

/** Whether this process got it: two may want to continue. */
function took(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}
