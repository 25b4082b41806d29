import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { readLora } from '../../../src-main/engine/checkpoints/lora/readLora.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32, readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import { writeSafetensors } from '../../../src-main/engine/checkpoints/writeSafetensors.ts';
import { openTokenizer } from '../../../src-main/engine/pipelines/openTokenizer.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';
import { solverTimesteps } from '../../../src-main/engine/schedulers/lcm.ts';
import { distill } from '../../../src-main/features/distillation/distill.ts';
import { exportRun } from '../../../src-main/features/export/export.ts';
import { inspectModel } from '../../../src-main/features/inspect/inspectModel.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const model = join(fixtures, 'models', 'tiny-sd1');
const scratch = mkdtempSync(join(tmpdir(), 'likeness-lcm-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The fixture model with a place for the guidance's embedding, as a model that guidance was distilled into has one. */
function guidedModel(weight: FileTensor): string {
  const copy = join(scratch, 'guided');
  cpSync(model, copy, { recursive: true });
  const config = join(copy, 'unet', 'config.json');
  const keys = JSON.parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(config, JSON.stringify({ ...keys, time_cond_proj_dim: weight.shape[1] }));
  const { tensors } = readSafetensors(join(model, 'unet', 'diffusion_pytorch_model.safetensors'));
  writeSafetensors(join(copy, 'unet', 'diffusion_pytorch_model.safetensors'), [
    ...[...tensors].map(([name, tensor]) => ({ name, tensor })),
    { name: 'time_embedding.cond_proj.weight', tensor: weight },
  ]);
  return copy;
}

describe('a model that takes its guidance as an input', () => {
  const { tensors, metadata } = readSafetensors(join(fixtures, 'lcm', 'drawn.safetensors'));
  const path = guidedModel(tensors.get('cond_proj') ?? expect.fail());

  it.each([8.5, 1.5])("draws diffusers' latents at guidance %s", async (guidance) => {
    const opened = openModelFolder(path);
    const pipeline = new TextToImage(opened, await openTokenizer(opened), { provider: 'cpu' });
    const request = { prompt: metadata['prompt'] ?? '', seed: Number(metadata['seed']) };
    const options = { steps: 4, guidance, scheduler: 'lcm', width: 64, height: 64 } as const;
    const wanted = readF32(tensors.get(`latents-${guidance}`) ?? expect.fail()).data;
    for await (const { latents } of pipeline.generate([request], options))
      latents.data.forEach((value, i) => expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(2e-3));
    await pipeline.dispose();
  });

  it('is a model without faults, and its weight is counted', async () => {
    const numbers = async (folder: string): Promise<number> => {
      const { report } = await inspectModel(openModelFolder(folder));
      expect(report.problems).toEqual([]);
      return report.parameters.total;
    };
    const added = (tensors.get('cond_proj')?.byteLength ?? NaN) / 4;
    expect((await numbers(path)) - (await numbers(model))).toBe(added);
  });
});

it("the solver's timesteps are evenly spread, the last of them the noisiest", () => {
  expect(solverTimesteps(4, 1000)).toEqual([249, 499, 749, 999]);
});

describe.each([
  ['l2', 'tiny-sd1'],
  ['huber', 'tiny-sd1'],
  ['velocity', 'tiny-sd2'],
] as const)('consistency distillation: %s of %s', { timeout: 600_000 }, (name, teacher) => {
  const folder = join(fixtures, 'lcm', name);
  const out = join(scratch, name);
  const errors = name === 'huber' ? ('huber' as const) : ('l2' as const);
  const matrices = (path: string): Map<string, Float32Array> =>
    new Map(
      readLora(path).adapters.flatMap(({ part, module, A, B }) => [
        [`${part}.${module}.lora_A.weight`, A.data] as const,
        [`${part}.${module}.lora_B.weight`, B.data] as const,
      ]),
    );

  it('ends after recorded batches where torch and PEFT end', async () => {
    const { tensors, metadata } = readSafetensors(join(folder, 'expected.safetensors'));
    const losses = readTensor(tensors.get('losses') ?? expect.fail()).data as Float32Array;
    const events: JobEvent[] = [];
    const start = join(folder, 'start');
    const settings = {
      ...{ teacher: join(fixtures, 'models', teacher), lcm: true, errors },
      ...{ replay: join(folder, 'replay.safetensors'), initLora: start },
      ...{ steps: losses.length, learningRate: Number(metadata['lr']), provider: 'cpu' as const },
      lora: { targets: (metadata['targets'] ?? '').split(',') },
    };
    const context = {
      report: (event: JobEvent) => events.push(event),
      signal: new AbortController().signal,
    };
    const { checkpoint } = await distill({ out, resume: false, settings }, context, 'test');
    const ours = events.flatMap((event) => (event.type === 'step' ? event.loss : []));
    expect(ours).toHaveLength(losses.length);
    ours.forEach((loss, k) =>
      expect(Math.abs(loss / (losses[k] as number) - 1), `step ${k}: ${loss}`).toBeLessThan(1e-3),
    );
    const [got, before] = [matrices(checkpoint), matrices(start)];
    let [gap, moved] = [0, 0];
    for (const [name, entry] of tensors) {
      if (name === 'losses') continue;
      const [now, from] = [got.get(name), before.get(name)];
      if (!now || !from) throw new Error(`${name} was not trained`);
      readF32(entry).data.forEach((value, i) => {
        gap += ((now[i] as number) - value) ** 2;
        moved += ((from[i] as number) - value) ** 2;
      });
    }
    expect(got.size).toBe(tensors.size - 1);
    // Pseudo-Huber's slope turns within 1e-3, where f32 rounds.
    expect(Math.sqrt(gap / moved)).toBeLessThan(errors === 'l2' ? 0.005 : 0.02);
  });

  it('is exported as a model that draws in few steps and without guidance', async () => {
    const made = join(scratch, `${name}-model`);
    const context = { report: () => undefined, signal: new AbortController().signal };
    await exportRun({ run: out, out: made, format: 'diffusers', transformers: 5 }, context);
    const { scheduler } = openModelFolder(made);
    expect(scheduler).toMatchObject({ _class_name: 'LCMScheduler', original_inference_steps: 50 });
    expect(JSON.parse(readFileSync(join(made, 'likeness.json'), 'utf8'))).toEqual({
      generate: { guidance: 1 },
    });
  });
});
