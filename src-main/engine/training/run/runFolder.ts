import * as z from 'zod';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Declaration, Values } from '../../../../src-shared/domain/settingSchema.ts';
import { faultOf, parseSettings } from '../../../../src-shared/domain/settingValues.ts';
import { distillSettings, type DistillSettings } from '../../../../src-shared/domain/distillSettings.ts';
import { finetuneSettings, type FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import type { LoopSettings } from '../../../../src-shared/domain/loopSettings.ts';
import type { StepEvent } from '../../../../src-shared/domain/jobEvents.ts';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import { isFolder, makeFolder, orUnwritable, readText } from '../../checkpoints/files.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { readTensor } from '../../checkpoints/weights.ts';
import { writeJson } from '../../checkpoints/writeJson.ts';
import { writeAtomically, writeSafetensors } from '../../checkpoints/writeSafetensors.ts';

export const capsuleFile = 'capsule.json';

/**
 * A run's folder:
 *
 *     run.json                    settings and the base model
 *     capsule.json                all that a finetune depends on, by hash, and the hashes of what came out
 *     log.jsonl                   an event a line
 *     checkpoints/000200/         weights of a step (PEFT folders, or whole networks)
 *     samples/000200.png
 *     skipped.txt                 pictures that could not be used, of a distillation
 *     state-000200.safetensors    all that is needed to go on from there
 *
 * Everything appears under its name only when it is complete.
 */
export class RunFolder {
  constructor(readonly path: string) {}

  static exists(path: string): boolean {
    return existsSync(join(path, runFile));
  }

  /** Starts a run. Errors: `run.damaged` where one has lost its `run.json`, `file.unwritable`. */
  create(description: RunDescription<RunKind>): void {
    if (isFolder(this.path) && this.isTouched()) throw this.damaged('it is not there');
    makeFolder(join(this.path, 'checkpoints'));
    makeFolder(join(this.path, 'samples'));
    this.tidy();
    writeJson(join(this.path, runFile), description);
  }

  /** What kind of run this is. Errors: `run.damaged`. */
  kind(): RunKind {
    return this.read().kind;
  }

  /** Of the model that is trained. Errors: `run.damaged`. */
  modelHash(): string {
    return this.read().modelHash;
  }

  /** Errors: `run.damaged`, `run.otherKind`. */
  describe(): RunDescription;
  describe<K extends RunKind>(kind: K): RunDescription<K>;
  describe(kind: RunKind = 'finetune'): RunDescription<RunKind> {
    const { kind: own, settings, ...about } = this.read();
    if (own !== kind) throw problem('run.otherKind', { folder: this.path, kind: own });
    return own === 'finetune'
      ? { ...about, kind: own, settings: this.settingsOf(finetuneSettings, settings) }
      : { ...about, kind: own, settings: this.settingsOf(distillSettings, settings) };
  }

  private settingsOf<D extends Declaration>(declaration: D, kept: unknown): Values<D> {
    const parsed = parseSettings(declaration, kept);
    if ('fault' in parsed) throw this.damaged(parsed.fault);
    return parsed.settings;
  }

  private read(): z.output<typeof runType> {
    let content: unknown;
    try {
      content = JSON.parse(readText(join(this.path, runFile)));
    } catch (cause) {
      throw this.damaged('it is not JSON', cause);
    }
    const parsed = runType.safeParse(content);
    if (!parsed.success) throw this.damaged(faultOf(parsed.error));
    return parsed.data;
  }

  private damaged(why: string, cause?: unknown): Error {
    return problem('run.damaged', { file: join(this.path, runFile), why }, cause);
  }

  log(event: StepEvent): void {
    orUnwritable(join(this.path, 'log.jsonl'), (file) => appendFileSync(file, `${JSON.stringify(event)}\n`));
  }

  /**
   * Drops what was logged after `step`, and a line that was cut off: those steps are taken again. Returns the last event that is
   * kept.
   */
  trimLog(step: number): StepEvent | undefined {
    const file = join(this.path, 'log.jsonl');
    if (!existsSync(file)) return undefined;
    const kept = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap(parseEvent)
      .filter((event) => event.step <= step);
    writeAtomically(file, () => [Buffer.from(kept.map((event) => `${JSON.stringify(event)}\n`).join(''))]);
    return kept.at(-1);
  }

  /** Lists the pictures that are skipped, with the reason. */
  listSkipped(lines: readonly string[]): void {
    writeAtomically(join(this.path, 'skipped.txt'), () => [
      Buffer.from(lines.map((line) => `${line}\n`).join('')),
    ]);
  }

  /** Takes back a new run in which nothing has been learnt. */
  withdraw(): void {
    if (!isFolder(this.path) || this.isTouched()) return;
    for (const name of [runFile, capsuleFile, 'skipped.txt']) rmSync(join(this.path, name), { force: true });
    for (const folder of [join(this.path, 'checkpoints'), join(this.path, 'samples'), this.path])
      if (isFolder(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }

  /** Removes what an interrupted run left half-written, and all states but the newest. */
  tidy(): void {
    for (const older of this.states().slice(0, -1)) rmSync(join(this.path, older), { force: true });
    for (const folder of [this.path, join(this.path, 'checkpoints'), join(this.path, 'samples')])
      for (const name of existsSync(folder) ? readdirSync(folder) : [])
        if (/^\..*\.tmp$/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }

  /** Writes a checkpoint's files with `write`, then gives the folder its name. Returns its path. Errors: `run.missing`, `file.unwritable`. */
  saveCheckpoint(step: number, write: (folder: string) => void): string {
    // A run that was moved away must not begin a second one in its old place.
    if (!isFolder(this.path)) throw problem('run.missing', { folder: this.path });
    const folder = join(this.path, 'checkpoints', stepName(step));
    const temporary = join(this.path, 'checkpoints', `.${stepName(step)}.tmp`);
    rmSync(temporary, { recursive: true, force: true });
    makeFolder(temporary);
    write(temporary);
    orUnwritable(folder, () => {
      rmSync(folder, { recursive: true, force: true });
      renameSync(temporary, folder);
    });
    return folder;
  }

  /** What a distillation's teacher draws of the same prompt and seed. */
  get teacherSamplePath(): string {
    return join(this.path, 'samples', 'teacher.png');
  }

  samplePath(step: number): string {
    return join(this.path, 'samples', `${stepName(step)}.png`);
  }

  /** Writes the state of `step` and then removes older ones. */
  saveState(step: number, arrays: StateArrays): void {
    const name = `state-${stepName(step)}.safetensors`;
    writeSafetensors(
      join(this.path, name),
      Object.entries(arrays).map(([key, data]) => ({
        name: key,
        tensor: { dtype: stateType(data), shape: [data.length], data },
      })),
      { step: String(step) },
    );
    for (const other of this.states()) if (other !== name) rmSync(join(this.path, other), { force: true });
  }

  /** Fills `arrays` from the newest state; returns its step, 0 where there is none. Errors: `run.stateDamaged`. */
  restoreState(arrays: StateArrays): number {
    const newest = this.states().at(-1);
    if (!newest) return 0;
    const file = join(this.path, newest);
    const damaged = (why: string, cause?: unknown): Error =>
      problem('run.stateDamaged', { file, why }, cause);
    try {
      const { tensors, metadata } = readSafetensors(file);
      for (const [key, array] of Object.entries(arrays)) {
        const entry = tensors.get(key);
        if (entry?.dtype !== stateType(array) || entry.shape.join() !== String(array.length))
          throw damaged(`its "${key}" does not fit the run's settings`);
        array.set(readTensor(entry).data as typeof array);
      }
      if (metadata['step'] !== String(stepOf(newest)))
        throw damaged('it is of another step than its name says');
    } catch (cause) {
      if (!(cause instanceof LikenessError) || cause.code !== 'weights.damaged') throw cause;
      throw damaged('it is cut off or changed', cause);
    }
    return stepOf(newest);
  }

  /** Steps that have a complete checkpoint, in order. */
  checkpointSteps(): number[] {
    return this.stepsIn('checkpoints', /^\d{6,12}$/);
  }

  /** The checkpoints the run was asked for, without the one that a pause left; that one where there are no others. */
  plannedSteps({ steps, checkpointEvery }: Pick<LoopSettings, 'steps' | 'checkpointEvery'>): number[] {
    const all = this.checkpointSteps();
    const planned = all.filter((step) => step % checkpointEvery === 0 || step >= steps);
    return planned.length > 0 ? planned : all.slice(-1);
  }

  /** Steps whose sample is there, in order. */
  sampleSteps(): number[] {
    return this.stepsIn('samples', /^\d{6,12}\.png$/);
  }

  checkpointPath(step: number): string {
    return join(this.path, 'checkpoints', stepName(step));
  }

  private stepsIn(folder: 'checkpoints' | 'samples', named: RegExp): number[] {
    const place = join(this.path, folder);
    const names = existsSync(place) ? readdirSync(place) : [];
    return names
      .filter((name) => named.test(name))
      .map(stepOf)
      .sort((a, b) => a - b);
  }

  /** Whether a run has left anything here. */
  private isTouched(): boolean {
    return this.states().length > 0 || this.checkpointSteps().length > 0;
  }

  private states(): string[] {
    return readdirSync(this.path)
      .filter((name) => /^state-\d+\.safetensors$/.test(name))
      .sort((a, b) => stepOf(a) - stepOf(b));
  }
}

/** The state that a run resumes from, by name. */
export type StateArrays = Readonly<Record<string, Float32Array | Uint8Array>>;

function stateType(array: Float32Array | Uint8Array): 'f32' | 'u8' {
  return array instanceof Uint8Array ? 'u8' : 'f32';
}

const runFile = 'run.json';

/**
 * What `train` makes. Where a new run is refused before it has learnt anything, it is taken back: who is refused asks again with other
 * photos or settings, and that is no run to go on with. Errors: those of `train`.
 */
export async function orWithdraw<T>(run: RunFolder, isNew: boolean, train: () => Promise<T>): Promise<T> {
  try {
    return await train();
  } catch (error) {
    if (isNew && error instanceof LikenessError && error.code !== 'cancelled') run.withdraw();
    throw error;
  }
}

const runType = z.object({
  kind: z.enum(['finetune', 'distill']),
  version: z.string(),
  createdAt: z.string(),
  /** Of the model that is trained. */
  modelHash: z.string(),
  /** Of a distillation's teacher. */
  teacherHash: z.string().optional(),
  /** SHA-256 of a finetune's photos and masks, by name; older runs do not have them. */
  photos: z.record(z.string(), z.string()).optional(),
  /** The same of a person's own pictures of the class. */
  classPhotos: z.record(z.string(), z.string()).optional(),
  settings: z.unknown(),
});

/** What each kind of run is told. */
interface RunSettings {
  finetune: FinetuneSettings;
  distill: DistillSettings;
}

export type RunKind = keyof RunSettings;

export interface RunDescription<K extends RunKind = 'finetune'> extends z.output<typeof runType> {
  readonly kind: K;
  readonly settings: RunSettings[K];
}

function stepOf(name: string): number {
  return Number(/\d+/.exec(name));
}

function parseEvent(line: string): StepEvent[] {
  try {
    return line.startsWith('{') ? [JSON.parse(line) as StepEvent] : [];
  } catch {
    return [];
  }
}

function stepName(step: number): string {
  return String(step).padStart(6, '0');
}
