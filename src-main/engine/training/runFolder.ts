import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { readTensor } from '../checkpoints/weights.ts';
import { writeAtomically, writeSafetensors } from '../checkpoints/writeSafetensors.ts';
import type { FinetuneSettings } from './settings.ts';

/**
 * A run's folder:
 *
 *     run.json                    settings and the base model
 *     log.jsonl                   an event a line
 *     checkpoints/000200/         weights of a step (PEFT folders, or whole networks)
 *     samples/000200.png
 *     state-000200.safetensors    all that is needed to go on from there
 *
 * Everything appears under its name only when it is complete.
 */
export class RunFolder {
  constructor(readonly path: string) {}

  static exists(path: string): boolean {
    return existsSync(join(path, 'run.json'));
  }

  create(description: RunDescription): void {
    mkdirSync(join(this.path, 'checkpoints'), { recursive: true });
    mkdirSync(join(this.path, 'samples'), { recursive: true });
    writeAtomically(join(this.path, 'run.json'), () => [
      Buffer.from(`${JSON.stringify(description, null, 2)}\n`),
    ]);
  }

  describe(): RunDescription {
    const file = join(this.path, 'run.json');
    try {
      const description = JSON.parse(readFileSync(file, 'utf8')) as RunDescription;
      if (description.kind === 'finetune' && typeof description.settings.steps === 'number')
        return description;
    } catch (cause) {
      throw problem('run.damaged', { file, why: 'it is not JSON' }, cause);
    }
    throw problem('run.damaged', { file, why: 'it holds no settings' });
  }

  log(event: object): void {
    appendFileSync(join(this.path, 'log.jsonl'), `${JSON.stringify(event)}\n`);
  }

  /** Drops what was logged after `step`, and a line that was cut: those steps are done again. */
  trimLog(step: number): void {
    const file = join(this.path, 'log.jsonl');
    if (!existsSync(file)) return;
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'));
    const kept = lines.filter((line) => (JSON.parse(line) as { step: number }).step <= step);
    writeAtomically(file, () => [Buffer.from(kept.map((line) => `${line}\n`).join(''))]);
  }

  /** Writes a checkpoint's files with `write`, then gives the folder its name. Returns its path. */
  saveCheckpoint(step: number, write: (folder: string) => void): string {
    const folder = join(this.path, 'checkpoints', stepName(step));
    const temporary = join(this.path, 'checkpoints', `.${stepName(step)}.tmp`);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    write(temporary);
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
    return folder;
  }

  samplePath(step: number): string {
    return join(this.path, 'samples', `${stepName(step)}.png`);
  }

  /** Writes the state of `step` and then removes older ones. */
  saveState(step: number, arrays: Readonly<Record<string, Float32Array>>): void {
    const name = `state-${stepName(step)}.safetensors`;
    writeSafetensors(
      join(this.path, name),
      Object.entries(arrays).map(([key, data]) => ({
        name: key,
        tensor: { dtype: 'f32' as const, shape: [data.length], data },
      })),
      { step: String(step) },
    );
    for (const other of this.states()) if (other !== name) rmSync(join(this.path, other), { force: true });
  }

  /** Fills `arrays` from the newest state; returns its step, 0 where there is none. */
  restoreState(arrays: Readonly<Record<string, Float32Array>>): number {
    const newest = this.states().at(-1);
    if (!newest) return 0;
    const { tensors, metadata } = readSafetensors(join(this.path, newest));
    for (const [key, array] of Object.entries(arrays)) {
      const entry = tensors.get(key);
      if (!entry || entry.shape[0] !== array.length) throw new Error(`${newest} is of another run: ${key}`);
      array.set(readTensor(entry).data as Float32Array);
    }
    return Number(metadata['step']);
  }

  /** Steps that have a complete checkpoint, in order. */
  checkpointSteps(): number[] {
    const folder = join(this.path, 'checkpoints');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => /^\d{6,}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  checkpointPath(step: number): string {
    return join(this.path, 'checkpoints', stepName(step));
  }

  private states(): string[] {
    return readdirSync(this.path)
      .filter((name) => /^state-\d+\.safetensors$/.test(name))
      .sort();
  }
}

export interface RunDescription {
  readonly kind: 'finetune';
  readonly version: string;
  readonly createdAt: string;
  readonly modelHash: string;
  readonly settings: FinetuneSettings;
}

function stepName(step: number): string {
  return String(step).padStart(6, '0');
}
