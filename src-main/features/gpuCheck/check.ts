import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { readText } from '../../engine/checkpoints/files.ts';
import { prepareOutput } from '../../engine/checkpoints/outputFile.ts';
import { temporaryFolder } from '../../engine/checkpoints/leftovers.ts';
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
 * and the others still run. Writes a page. Random weights are in a folder that is removed after the check. `command`: words that start this program.
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
  const sections: Section[] = [];
  let { provider, small } = request;
  const parts = checkParts.filter((part) => part === 'device' || request.parts.includes(part));
  const run = async (part: CheckPart): Promise<Section> => {
    if (part !== 'device' && !provider)
      return {
        ...{ part, findings: [] },
        ended:
          sections[0]?.ended === undefined
            ? 'no provider computes right here'
            : 'left out: the look at the device did not end',
      };
    if (left() < 1) return { part, findings: [], ended: `left out: ${request.seconds} s were over` };
    const seconds = secondsFor(parts.slice(parts.indexOf(part)), left());
    const file = join(work, `${part}.jsonl`);
    const words = ['gpu-check', '--part', part, '--findings', file, ...(small ? ['--small'] : [])];
    const ended = await inProcess([...command, ...words, ...(provider ? ['--provider', provider] : [])], {
      ...{ work, seconds, signal },
    });
    return { part, findings: findingsIn(file), ended };
  };
  try {
    for (const [done, part] of parts.entries()) {
      report({ type: 'progress', done, total: parts.length, label: `gpu-check: ${part}` });
      const section = await run(part);
      sections.push(section);
      signal.throwIfAborted();
      for (const finding of section.findings) {
        report({
          type: 'note',
          message: `${finding.right === false ? '✗ ' : ''}${finding.what}: ${finding.found}`,
        });
        if (finding.provider) provider = finding.provider as GpuCheckRequest['provider'];
        small ||= finding.small === true;
      }
      if (section.ended !== undefined) report({ type: 'warning', message: `${part}: ${section.ended}` });
      // After each part, so that a page is left even if this is killed.
      const seconds = (performance.now() - started) / 1000;
      writeFileSync(request.out, pageOf(sections, { version, provider, seconds, small }));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  report({ type: 'progress', done: parts.length, total: parts.length, label: 'gpu-check' });
  const all = sections.flatMap(({ findings }): readonly Finding[] => findings);
  return {
    ...{ page: resolve(request.out), provider },
    right: all.filter(({ right }) => right === true).length,
    wrong: all.filter(({ right }) => right === false).length,
    unfinished: sections.filter(({ ended }) => ended !== undefined).length,
  };
}

/** Runs words to their end; returns why they did not end well. */
function inProcess(
  [program = '', ...words]: readonly string[],
  {
    work,
    seconds,
    signal,
  }: { readonly work: string; readonly seconds: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
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
    const end = (why: string | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      done(why);
    };
    child.on('error', (error) => end(`did not start: ${error.message}`));
    child.on('close', (status, killedBy) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      if (late) end(`its ${Math.round(seconds)} s were over`);
      else if (killedBy) end(`its process was ended by ${killedBy}. ${last}`);
      else end(status === 0 ? undefined : last || `ended with status ${status}`);
    });
  });
}
