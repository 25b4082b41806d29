import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { add, cos, input, mul } from '../../../src-main/engine/graph/build.ts';
import { onProviderNotice } from '../../../src-main/engine/runtime/notices.ts';
import { automaticProvider, examine, Session } from '../../../src-main/engine/runtime/session.ts';
import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { forgetVerdicts } from '../../../src-main/engine/runtime/chooseProvider.ts';
import { f32 } from '../../../src-main/engine/tensor/tensor.ts';
import { examineMachine } from '../../../src-main/features/doctor.ts';
import { setStub } from './stubProvider.ts';

vi.mock('../../../src-main/engine/runtime/onnxRuntime.ts', async (load) => {
  const { withStub } = await import('./stubProvider.ts');
  return withStub(load);
});

const folder = mkdtempSync(join(tmpdir(), 'likeness-verdicts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const heard: string[] = [];
onProviderNotice((sentence) => void heard.push(sentence));
/** Of a trial. */
const trialRuns = 3;

beforeEach(() => {
  forgetVerdicts();
  heard.length = 0;
  keepVerdictsIn(mkdtempSync(join(folder, 'cache-')));
});

const x = input('x', [3]);
const graph = { outputs: { y: add(mul(x, 2), cos(x)) } };
const feeds = { x: f32([3], [1, 2, 900]) };
const right = [1, 2, 900].map((value) => 2 * value + Math.cos(value));

async function runs(provider: 'auto' | 'dml', times: number): Promise<Session> {
  const session = await Session.compile(graph, { provider });
  for (let i = 0; i < times; i++) {
    const { y } = await session.runHost(feeds);
    right.forEach((value, place) => expect(Number(y?.data[place])).toBeCloseTo(value, 3));
  }
  return session;
}

describe('auto', () => {
  it('takes a device that gives the CPU’s numbers', async () => {
    setStub('none');
    expect((await examine('dml')).state).toBe('right');
    expect((await runs('auto', 3)).provider).toBe('dml');
    expect(heard.filter((sentence) => sentence.includes('dml'))).toEqual([]);
  });

  it('passes over one with wrong numbers and says so', async () => {
    setStub('wrong');
    expect((await runs('auto', 1)).provider).toBe('cpu');
    expect(heard.join()).toContain('"dml" computes wrong numbers');
  });

  it('passes over one that fails in the trial and says why', async () => {
    setStub('throws', 1);
    expect(await automaticProvider()).toBe('cpu');
    expect(heard.join()).toContain('"dml" failed in a trial (DXGI_ERROR_DEVICE_REMOVED');
  });

  it('passes over one that is slower than the CPU', async () => {
    setStub('slow');
    expect(await automaticProvider()).toBe('cpu');
    expect(heard.join()).toContain('"dml" took 2001 times as long as the CPU');
  });

  it('goes on with the CPU where a device fails at the third run', async () => {
    setStub('throws', trialRuns + 2);
    const session = await runs('auto', 4);
    expect(session.provider).toBe('cpu');
    expect(heard.join()).toContain('"dml" failed during the work (DXGI_ERROR_DEVICE_REMOVED');
  });

  it('goes on with the CPU where the device runs out of memory', async () => {
    setStub('outOfMemory', trialRuns);
    expect((await runs('auto', 2)).provider).toBe('cpu');
    expect(heard.join()).toContain('too little memory');
  });

  it('says nothing of a device that is not there', async () => {
    setStub('noSession');
    expect(await automaticProvider()).toBe('cpu');
    expect(heard.filter((sentence) => sentence.includes('dml'))).toEqual([]);
  });
});

describe('a provider that was named', () => {
  it.each([
    ['wrong', 0, 'provider.wrong'],
    ['throws', 0, 'provider.unusable'],
    ['noSession', 0, 'provider.missing'],
    ['throws', trialRuns + 2, 'provider.failed'],
    ['outOfMemory', trialRuns, 'provider.outOfMemory'],
  ] as const)('ends in a sentence: %s after %i runs', async (fault, rightRuns, code) => {
    setStub(fault, rightRuns);
    await expect(runs('dml', 4)).rejects.toMatchObject({ code });
  });
});

describe('the doctor', () => {
  it.each([
    ['none', undefined, 'dml'],
    ['slow', undefined, 'cpu'],
    ['wrong', /computes wrong numbers here \(\d.*% off/, 'cpu'],
    ['throws', /DXGI_ERROR_DEVICE_REMOVED/, 'cpu'],
    ['noSession', /no such device/, 'cpu'],
  ] as const)('says of a device with "%s" what it does, and what computes', async (fault, why, automatic) => {
    setStub(fault);
    const machine = await examineMachine(folder);
    const { dml, cpu } = machine.providers;
    if (dml.works) expect(why).toBeUndefined();
    else expect(dml.why).toMatch(why ?? 'nothing');
    if (fault === 'slow') expect(dml).toMatchObject({ works: true, timesCpuSpeed: 0.0005 });
    expect(machine.automatic).toBe(automatic);
    expect(cpu).toEqual({ works: true });
  });
});

describe('a verdict', () => {
  it('is kept for the next process, until the device or its driver changes', async () => {
    const cache = mkdtempSync(join(folder, 'kept-'));
    keepVerdictsIn(cache);
    setStub('none');
    const first = await examine('dml');
    setStub('wrong');
    forgetVerdicts();
    expect(await examine('dml')).toEqual(first);
    const file = join(cache, 'providers.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"on": "', '"on": "another driver; '));
    forgetVerdicts();
    expect((await examine('dml')).state).toBe('wrong');
  });

  it('is “crashed” where the process that tried a provider is gone', async () => {
    const cache = mkdtempSync(join(folder, 'crashed-'));
    keepVerdictsIn(cache);
    setStub('none');
    await examine('dml');
    const file = join(cache, 'providers.json');
    const { dml } = JSON.parse(readFileSync(file, 'utf8')) as { dml: { on: string } };
    writeFileSync(file, JSON.stringify({ dml: { on: dml.on, trying: 2 ** 22 + 1 } }));
    forgetVerdicts();
    expect((await examine('dml')).state).toBe('crashed');
  });
});
