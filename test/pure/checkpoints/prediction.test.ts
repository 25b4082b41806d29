import { mkdtempSync, readFileSync, rmSync, writeFileSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { assumption, predictionOf } from '../../../src-main/engine/checkpoints/prediction.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { writeSingleFile } from '../../../src-main/engine/checkpoints/writeModel.ts';
import { jsonLines, likeness } from '../cli/likeness.ts';

const original = join(import.meta.dirname, '../../golden/fixtures/models/tiny-sd1');
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'likeness-prediction-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

const raw = (metadata: Record<string, string> = {}) => ({
  ...{ tensors: new Map(), otherTypes: new Map(), metadata },
});

/** A single file that says nothing of what it predicts; its small sizes it must say. */
function silentFile(name: string): string {
  const whole = join(scratch, `whole-${name}`);
  writeSingleFile(whole, openModel(original));
  const file = join(scratch, name);
  const { tensors, metadata } = readSafetensors(whole);
  const sizes = Object.entries(metadata).filter(([key]) => /^likeness\.(?!scheduler)/.test(key));
  writeSafetensors(
    file,
    [...tensors].map(([key, tensor]) => ({ name: key, tensor })),
    Object.fromEntries(sizes),
  );
  return file;
}

describe('what a single file predicts', () => {
  it('is what its metadata say; a person who says otherwise is refused', () => {
    const said = raw({ 'modelspec.prediction_type': 'v' });
    expect(predictionOf(said, 'a.safetensors', 'v1')).toMatchObject({
      type: 'v_prediction',
      assumed: false,
    });
    expect(() => predictionOf(said, 'a.safetensors', 'v1', 'epsilon')).toThrow(
      expect.objectContaining({ code: 'model.predicts' }),
    );
  });

  it('is what a person says where the file says nothing, or else a stated assumption', () => {
    expect(predictionOf(raw(), 'a', 'v2', 'epsilon')).toEqual({
      ...{ type: 'epsilon', from: '--prediction', assumed: false },
    });
    const assumed = predictionOf(raw(), 'a', 'v2');
    expect(assumed).toMatchObject({ type: 'v_prediction', assumed: true });
    expect(assumption({ path: 'a.safetensors', prediction: assumed })).toMatch(
      /a\.safetensors does not say.*velocity is assumed.*--prediction epsilon/,
    );
    expect(predictionOf(raw({ global_step: '875000' }), 'a', 'v2')).toMatchObject({
      type: 'epsilon',
      assumed: false,
    });
  });

  it('goes into its schedule', () => {
    const file = silentFile('silent.safetensors');
    expect(openModel(file)).toMatchObject({
      scheduler: { prediction_type: 'epsilon' },
      prediction: { assumed: true },
    });
    expect(openModel(file, 'v_prediction').scheduler).toMatchObject({ prediction_type: 'v_prediction' });
    writeFileSync(file.replace('.safetensors', '.yaml'), 'model:\n  params:\n    parameterization: "v"\n');
    expect(openModel(file)).toMatchObject({
      scheduler: { prediction_type: 'v_prediction' },
      prediction: { from: expect.stringContaining('silent.yaml') as string, assumed: false },
    });
  });

  it('is asked of the file beside it, not of a file without an ending', () => {
    const file = silentFile('no ending');
    expect(openModel(file)).toMatchObject({ prediction: { assumed: true } });
    writeFileSync(`${file}.yaml`, 'parameterization: "v"\n');
    expect(openModel(file).prediction).toMatchObject({ type: 'v_prediction' });
  });

  it('is shown by inspect, with how it is known', async () => {
    const file = silentFile('told.safetensors');
    const inspected = await likeness(['inspect', file]);
    expect(inspected.stdout).toMatch(/predicts epsilon \(by version 1\)/);
    const said = await likeness(['inspect', file, '--prediction', 'v_prediction', '--json']);
    expect(jsonLines(said.stdout).find(({ type }) => type === 'done')).toMatchObject({
      predictionType: 'v_prediction',
      predictionFrom: '--prediction',
    });
  });
});

it('a folder that does not say it takes what a person says, and one that does refuses another', () => {
  const folder = join(scratch, 'folder');
  cpSync(original, folder, { recursive: true });
  const file = join(folder, 'scheduler/scheduler_config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const { prediction_type: _, ...silent } = config;
  writeFileSync(file, JSON.stringify(silent));
  expect(openModel(folder, 'v_prediction').scheduler).toMatchObject({ prediction_type: 'v_prediction' });
  writeFileSync(file, JSON.stringify({ ...silent, prediction_type: 'sample' }));
  expect(() => openModel(folder, 'epsilon')).toThrow(/predicts the picture/);
});
