import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RunFolder } from '../../../../src-main/engine/training/run/runFolder.ts';

let run = new RunFolder('');
beforeEach(() => {
  run = new RunFolder(mkdtempSync(join(tmpdir(), 'likeness-run-')));
});

const event = (step: number) => ({ type: 'step', step, loss: 1 / step, seconds: 0.5 }) as const;

describe('checkpoints', () => {
  it('appear whole or not at all', () => {
    const cutOff = (): string =>
      run.saveCheckpoint(5, (folder) => {
        writeFileSync(join(folder, 'half'), '');
        throw new Error('power cut');
      });
    expect(cutOff).toThrow('power cut');
    expect(readdirSync(join(run.path, 'checkpoints'))).toEqual(['.000005.tmp']);
    expect(run.checkpointSteps()).toEqual([]);

    const folder = run.saveCheckpoint(5, (into) => writeFileSync(join(into, 'whole'), ''));
    expect(readdirSync(folder)).toEqual(['whole']);
    expect(readdirSync(join(run.path, 'checkpoints'))).toEqual(['000005']);
  });

  it('are counted in order, past six digits too', () => {
    for (const step of [1_000_000, 20, 3]) run.saveCheckpoint(step, () => undefined);
    expect(run.checkpointSteps()).toEqual([3, 20, 1_000_000]);
  });
});

describe('states', () => {
  const values = Float32Array.from([1.5, -0, 3e-45]);

  it('come back as they were, the newest one', () => {
    run.saveState(999_999, { values: new Float32Array(3) });
    const older = join(run.path, 'state-999999.safetensors');
    const bytes = readFileSync(older);
    run.saveState(1_000_000, { values });
    expect(existsSync(older)).toBe(false);
    writeFileSync(older, bytes); // as after a kill between writing the new one and removing the old
    const restored = { values: new Float32Array(3) };
    expect(run.restoreState(restored)).toBe(1_000_000);
    expect(restored.values).toEqual(values);
  });

  it('are none at the start', () => {
    expect(run.restoreState({ values: new Float32Array(3) })).toBe(0);
  });
});

describe('the log', () => {
  it('keeps each step once when steps are done again', () => {
    for (const step of [1, 2, 3, 4]) run.log(event(step));
    appendFileSync(join(run.path, 'log.jsonl'), '{"type":"step","st');
    expect(run.trimLog(2)).toEqual(event(2));
    run.log(event(3));
    const lines = readFileSync(join(run.path, 'log.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([1, 2, 3].map(event));
  });

  it('is nothing where no step was done', () => {
    expect(run.trimLog(0)).toBeUndefined();
  });
});

it('half-written files go when a run goes on, others stay', () => {
  run.saveCheckpoint(1, () => undefined);
  for (const name of ['.state-000002.safetensors.77.tmp', 'notes.tmp', '.hidden'])
    writeFileSync(join(run.path, name), '');
  run.tidy();
  expect(readdirSync(run.path).sort()).toEqual(['.hidden', 'checkpoints', 'notes.tmp']);
});

describe.runIf(process.platform === 'linux')('a full disk', () => {
  const full = expect.objectContaining({
    code: 'file.unwritable',
    message: expect.stringContaining('ENOSPC') as string,
  }) as Error;

  it('is told of by the state, and leaves nothing half-written', () => {
    symlinkSync('/dev/full', join(run.path, `.state-000001.safetensors.${process.pid}.tmp`));
    expect(() => run.saveState(1, { values: new Float32Array(1000) })).toThrow(full);
    expect(readdirSync(run.path)).toEqual([]);
  });

  it('is told of by the log', () => {
    symlinkSync('/dev/full', join(run.path, 'log.jsonl'));
    expect(() => run.log(event(1))).toThrow(full);
  });
});
