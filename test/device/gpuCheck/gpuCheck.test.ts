import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { forgetVerdicts } from '../../../src-main/engine/runtime/chooseProvider.ts';
import { gpuCheck } from '../../../src-main/features/gpuCheck/check.ts';
import { findingsIn, type Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { checkPart } from '../../../src-main/features/gpuCheck/part.ts';
import type { JobEvent } from '../../../src-shared/domain/jobEvents.ts';
import { checkParts, secondsFor, type CheckPart } from '../../../src-main/features/gpuCheck/request.ts';
import { timesByOperation } from '../../../src-main/features/gpuCheck/speed.ts';
import { clock, setStub } from '../runtime/stubProvider.ts';
import { vulkanDrivers } from '../vulkanDrivers.ts';

vi.mock('../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('../runtime/stubProvider.ts');
  return withStub(load);
});

const folder = mkdtempSync(join(tmpdir(), 'likeness-check-'));
afterAll(() => rmSync(folder, { recursive: true }));
const miniModel = resolve('test/golden/fixtures/models/tiny-bk');

describe('a check of a graphics device', () => {
  it('writes down parts that crash, fail and hang, and goes on with the others', async () => {
    const out = join(folder, 'page.md');
    // The clock stands still but around the part that hangs, however long processes take to start here: when it begins, 6 s are left,
    // of which it may take 1.3.
    const report = (event: JobEvent): void => {
      if (event.type !== 'progress') return;
      if (event.label === 'gpu-check: sd1') clock.now += 594e3;
      if (event.label === 'gpu-check: sd1-speed') clock.now += 6e3;
    };
    const result = await gpuCheck(
      { out, provider: undefined, small: false, seconds: 600, parts: checkParts },
      { report, signal: new AbortController().signal },
      {
        command: [process.execPath, join(import.meta.dirname, 'scriptedParts.mjs')],
        version: '1.2.3',
      },
    );
    // What stands before a crash counts; nothing begins after the time.
    expect(result).toMatchObject({ page: out, provider: 'webgpu', right: 5, wrong: 0 });
    const page = readFileSync(out, 'utf8');
    expect(page).toContain('Likeness 1.2.3');
    // The device was found to be too slow for the published shapes.
    expect(page).toContain('| ✓ | Provider | webgpu, narrow |');
    expect(page).toContain('Narrow networks stand in');
    expect(page).toContain('its process was ended by SIGKILL');
    expect(page).toContain('This part did not end: DXGI_ERROR_DEVICE_REMOVED');
    expect(page).toContain('This part did not end: its 1 s were over');
    expect(page.match(/left out: 600 s were over/g)).toHaveLength(4);
    expect(result.unfinished).toBe(7);
    expect(page.match(/^## /gm)).toHaveLength(checkParts.length);
  }, 60_000);
});

it('goes on with a part that was cut short, in the time that others left', async () => {
  const out = join(folder, 'further.md');
  // The clock stands still: of the time, a little is left for the part that hangs, and as much again when it goes on.
  const tries: string[] = [];
  const report = (event: JobEvent): void => {
    if (event.type !== 'progress' || event.label !== 'gpu-check: sd2') return;
    if (tries.push(event.label) === 1) clock.now += 597e3;
  };
  const result = await gpuCheck(
    { out, provider: undefined, small: false, seconds: 600, parts: ['picture', 'sd2'] },
    { report, signal: new AbortController().signal },
    {
      command: [process.execPath, join(import.meta.dirname, 'scriptedParts.mjs')],
      version: '1.2.3',
    },
  );
  expect(tries).toHaveLength(2);
  // A part that failed by itself does not begin again.
  expect(result).toMatchObject({ right: 4, wrong: 0, unfinished: 1 });
  const page = readFileSync(out, 'utf8');
  expect(page).toContain('DXGI_ERROR_DEVICE_REMOVED');
  expect(page).not.toContain('s were over');
  expect(page.match(/sd2, first half/g)).toHaveLength(1);
  expect(page.match(/sd2, second half/g)).toHaveLength(1);
}, 60_000);

it('says that nothing was checked because the look at the device did not end', async () => {
  const out = join(folder, 'cut.md');
  const request = { out, provider: undefined, small: false, seconds: 600, parts: checkParts };
  const context = { report: () => undefined, signal: new AbortController().signal };
  const command = [process.execPath, '-e', 'process.exit(3)'];
  const result = await gpuCheck(request, context, { command, version: '1.2.3' });
  expect(result).toMatchObject({ provider: undefined, right: 0, unfinished: checkParts.length });
  const page = readFileSync(out, 'utf8');
  expect(page).toContain('This part did not end: ended with status 3');
  expect(page.match(/left out: the look at the device did not end/g)).toHaveLength(checkParts.length - 1);
});

it('leaves time for every part, however many hang', () => {
  const timesOf = (took: (seconds: number) => number): number[] => {
    let left = 480;
    return checkParts.map((_, i) => {
      const seconds = secondsFor(checkParts.slice(i), left);
      left -= took(seconds);
      return seconds;
    });
  };
  const allHang = timesOf((seconds) => seconds);
  expect(allHang.reduce((a, b) => a + b)).toBeCloseTo(480);
  for (const seconds of allHang) expect(seconds).toBeGreaterThan(15);
  // What is not taken goes to the others.
  const quick = timesOf(() => 5);
  quick.slice(1).forEach((seconds, i) => expect(seconds).toBeGreaterThan(allHang[i + 1] as number));
});

describe('a part', () => {
  const run = async (part: CheckPart, provider: 'dml' | undefined): Promise<Finding[]> => {
    forgetVerdicts();
    keepVerdictsIn(mkdtempSync(join(folder, 'cache-')));
    const findings = join(mkdtempSync(join(folder, 'part-')), 'found.jsonl');
    await checkPart({ part, findings, provider, small: true }, miniModel);
    return findingsIn(findings);
  };

  it('finds every network and step of a right device right', async () => {
    setStub('none');
    expect((await run('device', undefined)).at(-1)).toMatchObject({ provider: 'dml' });
    const found = await run('mini', 'dml');
    expect(found.map(({ what, right }) => `${what}: ${right}`)).toEqual([
      ...['U-Net', 'Text encoder', 'VAE decoder', 'VAE encoder'].map((what) => `${what}: true`),
      ...['LoRA step', 'Full step', 'Distillation step', 'Few-step distillation step'].flatMap((what) => [
        `${what}: loss: true`,
        `${what}: gradients: true`,
      ]),
    ]);
  }, 400_000);

  it('finds out a device that goes wrong after its trial', async () => {
    setStub('wrong', 3);
    const found = await run('mini', 'dml');
    expect(found).toHaveLength(12);
    // The stub's fault does not reach gradients, which are written into memory that is given.
    for (const { what, right } of found)
      if (!what.includes('gradients')) expect([what, right]).toEqual([what, false]);
  }, 400_000);

  it('says why a device that fails did', async () => {
    setStub('outOfMemory', 3);
    const found = await run('mini', 'dml');
    expect(found).toHaveLength(8);
    for (const { found: text, right } of found) {
      expect(right).toBe(false);
      expect(text).toContain('too little memory');
    }
  }, 400_000);
});

it('tells where time goes by kernels, of the last run, and what ran elsewhere', () => {
  const node = (op: string, provider: string) => ({
    ...{ cat: 'Node', name: `${op}_1_kernel_time`, dur: 5 },
    args: { op_name: op, provider },
  });
  const kernel = (name: string, dur: number) => ({ cat: 'Api', name, dur, args: {} });
  const once = [
    ...[node('Conv', 'WebGpuExecutionProvider'), node('Reshape', 'CPUExecutionProvider')],
    ...[node('MemcpyToHost', 'WebGpuExecutionProvider'), node('Add', 'WebGpuExecutionProvider')],
  ];
  const events = [
    ...[...once, ...once, kernel('n1&Conv&Conv2dMM', 9e6), kernel('n2&Add&Add', 9e6)],
    ...[kernel('n1&Conv&Conv2dMM', 3e6), kernel('n2&Add&Add', 1e6)],
  ];
  expect(timesByOperation(JSON.stringify(events), 2)).toEqual([
    { what: 'Conv', found: '75.0% (3.000 s, 1 times)' },
    { what: 'Add', found: '25.0% (1.000 s, 1 times)' },
    { what: 'Off the device, and copies', found: '1 Reshape, 1 MemcpyToHost' },
  ]);
});

describe('the archive', () => {
  const driver = vulkanDrivers.at(-1);

  it('runs from an empty folder without packages', async ({ skip }) => {
    if (driver?.missing !== undefined) skip(driver.missing);
    const run = promisify(execFile);
    const file = join(folder, 'check.tgz');
    await run(process.execPath, ['src-main/scripts/gpuCheck.mjs', '--pack', file]);
    expect(statSync(file).size).toBeLessThan(60e6);
    const bare = mkdtempSync(join(folder, 'bare-'));
    await run('tar', ['-xzf', file, '-C', bare]);
    const place = join(bare, 'likeness-gpu-check');
    expect(readdirSync(place).sort()).toEqual(
      ['LICENSE', 'dist', 'gpu-check.mjs', 'models', 'node_modules', 'package.json'].sort(),
    );
    const pageOf = async (part: CheckPart): Promise<string> => {
      await run(process.execPath, ['gpu-check.mjs', '--small', '--part', part, '--minutes', '9'], {
        cwd: place,
        env: { ...process.env, ...driver?.env, NODE_PATH: '' },
      });
      return readFileSync(join(place, 'gpu-check.md'), 'utf8');
    };
    const page = await pageOf('picture');
    expect(page).toMatch(/✓ \| A picture of 64², 4 steps/);
    expect(page).toMatch(/Provider webgpu \| right in its trial/);
    // Its tokenizer is in no package of the archive.
    expect(await pageOf('sd1-picture')).toMatch(/A picture of 128², 2 steps, with guidance \| [\d.]+ s/);
  }, 900_000);
});
