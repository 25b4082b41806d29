import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { readText } from '../../engine/checkpoints/files.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { temporaryFolder } from '../../engine/checkpoints/leftovers.ts';
import { forgetTrials } from '../../engine/runtime/keptVerdicts.ts';
import { findingsIn, type Finding } from './findings.ts';
import { pageOf, pageTitle, type Section } from './page.ts';
import { checkParts, secondsFor, type CheckPart, type GpuCheckRequest } from './request.ts';

export interface GpuCheckResult {
  readonly page: string;
  readonly provider: string | undefined;
  /** Numbers of right findings, of wrong ones, and of parts that did not end. */
  readonly right: number;
  readonly wrong: number;
  readonly unfinished: number;
}

/**
 * Checks a graphics device in parts, each in a process of its own and in its share of the time: one that fails, hangs or crashes is noted,
 * and the others still run. Parts that were cut short go on in the time that others left. Writes a page. Random weights are in a folder that is removed after the check. `command`: words that start this program.
 * Errors: those of `prepareOutput`, `file.unwritable`; the signal's reason when it aborts.
 */
export async function gpuCheck(
  request: GpuCheckRequest,
  { report, signal }: JobContext,
  { command, version }: { readonly command: readonly string[]; readonly version: string },
): Promise<GpuCheckResult> {
  const isPage = (): boolean => readText(request.out).startsWith(pageTitle);
  await prepareOutput(resolve(request.out), 'a page of this check', isPage);
  const work = temporaryFolder('gpu-check');
  const started = performance.now();
  const left = (): number => request.seconds - (performance.now() - started) / 1000;
  let { provider, small } = request;
  const parts = checkParts.filter((part) => part === 'device' || request.parts.includes(part));
  const told = new Map<CheckPart, Section>();
  const spent = new Map<CheckPart, number>();
  const run = async (part: CheckPart, seconds: number): Promise<Section> => {
    if (part !== 'device' && !provider)
      return {
        ...{ part, findings: [] },
        ended:
          told.get('device')?.ended === undefined
            ? 'no provider computes right here'
            : 'left out: the look at the device did not end',
      };
    if (seconds <= 0) return { part, findings: [], ended: `left out: ${request.seconds} s were over` };
    const file = join(work, `${part}.jsonl`);
    const words = ['gpu-check', '--part', part, '--findings', file, ...(small ? ['--small'] : [])];
    const { why, late } = await inProcess(
      [...command, ...words, ...(provider ? ['--provider', provider] : [])],
      {
        ...{ work, seconds, signal },
      },
    );
    const all = (spent.get(part) ?? 0) + seconds;
    spent.set(part, all);
    const ended = late ? `its ${Math.round(all)} s were over` : why;
    // The trial that it may have been at has not failed.
    if (late) forgetTrials(work);
    return { part, findings: findingsIn(file), ended, late: late && part !== 'device' };
  };
  const keep = (section: Section): void => {
    const { part, findings, ended } = section;
    const before = told.get(part)?.findings.length ?? 0;
    told.set(part, section);
    for (const finding of findings.slice(before)) {
      report({
        type: 'note',
        message: `${finding.right === false ? '✗ ' : ''}${finding.what}: ${finding.found}`,
      });
      if (finding.provider) provider = finding.provider as GpuCheckRequest['provider'];
      small ||= finding.small === true;
    }
    if (ended !== undefined) report({ type: 'warning', message: `${part}: ${ended}` });
    // After each part, so that a page is left even if this is killed.
    const seconds = (performance.now() - started) / 1000;
    writeFileSync(request.out, pageOf([...told.values()], { version, provider, seconds, small }));
  };
  const tries = new Map<CheckPart, number>();
  /** Runs parts, each in its share of the time that is left; returns those that were cut short and may come further. */
  const round = async (due: readonly CheckPart[]): Promise<CheckPart[]> => {
    const cut: CheckPart[] = [];
    for (const [i, part] of due.entries()) {
      const share = (): number => (left() < 1 ? 0 : secondsFor(due.slice(i), left()));
      const before = told.get(part);
      // Neither did it find anything new, nor has it more time now.
      if (before && share() <= (tries.get(part) ?? 0)) continue;
      const done = parts.length - due.length + i;
      report({ type: 'progress', done, total: parts.length, label: `gpu-check: ${part}` });
      const seconds = share();
      const section = await run(part, seconds);
      signal.throwIfAborted();
      keep(section);
      const further = section.findings.length > (before?.findings.length ?? 0);
      tries.set(part, further ? 0 : seconds);
      if (section.late) cut.push(part);
    }
    return cut;
  };
  try {
    // What some parts don't take of the time is for those that were cut short.
    let due = await round(parts);
    while (due.length > 0 && left() >= 1) due = await round(due);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  report({ type: 'progress', done: parts.length, total: parts.length, label: 'gpu-check' });
  const sections = [...told.values()];
  const all = sections.flatMap(({ findings }): readonly Finding[] => findings);
  return {
    ...{ page: resolve(request.out), provider },
    right: all.filter(({ right }) => right === true).length,
    wrong: all.filter(({ right }) => right === false).length,
    unfinished: sections.filter(({ ended }) => ended !== undefined).length,
  };
}

/** Runs words to their end, or as long as they may take; returns why they did not end well. */
function inProcess(
  [program = '', ...words]: readonly string[],
  {
    work,
    seconds,
    signal,
  }: { readonly work: string; readonly seconds: number; readonly signal: AbortSignal },
): Promise<{ readonly why?: string; readonly late: boolean }> {
  return new Promise((done) => {
    const child = spawn(program, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LIKENESS_CACHE: work, TMPDIR: work },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, 1000 * seconds);
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    const end = (why?: string): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      done({ ...(why !== undefined && { why }), late });
    };
    child.on('error', (error) => end(`did not start: ${error.message}`));
    child.on('close', (status, killedBy) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      if (late) end();
      else if (killedBy) end(`its process was ended by ${killedBy}. ${last}`);
      else end(status === 0 ? undefined : last || `ended with status ${status}`);
    });
  });
}
