import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import { unetCost } from '../../../src-main/engine/models/unetCost.ts';
import { compress } from '../../../src-main/features/compression/compress.ts';
import { compressDefaults, type CompressRequest } from '../../../src-main/features/compression/request.ts';

const scratch = mkdtempSync(join(tmpdir(), 'likeness compress ü'));
const teacher = 'test/golden/fixtures/models/tiny-sd1';

async function run(out: string, more: Partial<CompressRequest>, stopAt?: string) {
  const events: JobEvent[] = [];
  const controller = new AbortController();
  const report = (event: JobEvent): void => {
    events.push(event);
    if (event.type === 'progress' && event.label === stopAt) controller.abort(new Error('stopped'));
  };
  const request = {
    ...compressDefaults,
    model: teacher,
    out: join(scratch, out),
    ...more,
    provider: 'cpu' as const,
  };
  const result = await compress(request, { report, signal: controller.signal });
  return { ...result, events };
}

describe('a smaller model', () => {
  it('is a whole model, with its cost before and after', async () => {
    const { path, removed, before, after } = await run('tiny', { to: 'bk-tiny' });
    const { unet } = openModel(path);
    expect(after).toEqual(unetCost(unet.config));
    expect(after?.parameters).toBe(unet.weights.parameterCount);
    expect(after?.macs.layers).toBeLessThan(before.macs.layers);
    expect(removed).toContain('mid_block');
    for (const file of ['vae/config.json', 'tokenizer/vocab.json', 'text_encoder/model.safetensors'])
      expect(readFileSync(join(path, file)).equals(readFileSync(join(teacher, file)))).toBe(true);
    await expect(run('tiny', { to: 'bk-base' })).rejects.toMatchObject({ code: 'compress.exists' });
  });

  it('comes with advice: what each block is worth, as table and picture', async () => {
    const blocks = ['down_blocks.3.1', 'up_blocks.0.1'];
    const { advice, after, before, events } = await run('advised', {
      remove: blocks,
      advise: true,
      prompts: ['a dog'],
      levels: 2,
    });
    const changes = new Map(advice?.blocks.map(({ name, change }) => [name, change]));
    expect(changes.size).toBe(21);
    for (const change of changes.values()) expect(change).toBeGreaterThan(0);
    // The outermost pair carries every pixel, the innermost next to nothing.
    expect(changes.get('down_blocks.0.0')).toBeGreaterThan(10 * (changes.get('down_blocks.3.1') as number));
    const names = advice?.students.map(({ name }) => name);
    expect(names).toEqual(['bk-base', 'bk-small', 'bk-tiny', 'yours']);
    const saved = advice?.students.at(-1)?.saves.parameters;
    expect(saved).toBe(before.parameters - (after?.parameters as number));
    expect(await sharp(advice?.picture).metadata()).toMatchObject({ format: 'png' });
    expect(JSON.parse(readFileSync(advice?.table as string, 'utf8'))).toMatchObject({ probes: 2 });
    expect(events.at(-1)).toMatchObject({ type: 'progress', done: 50, total: 50 });
  });

  it('is not there when the work was cancelled', async () => {
    await expect(run('stopped', { to: 'bk-base', advise: true, levels: 1 }, 'whole model')).rejects.toThrow(
      'stopped',
    );
    expect(existsSync(join(scratch, 'stopped'))).toBe(false);
  });
});
