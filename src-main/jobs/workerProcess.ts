import { fork } from 'node:child_process';
import type { FromWorker, ToWorker } from '../features/tasks.ts';

/** A worker process, of Node or of Electron. */
export interface WorkerProcess {
  readonly send: (message: ToWorker) => void;
  readonly onMessage: (heard: (message: FromWorker) => void) => void;
  /** Called once; `why`: the signal or the exit code. */
  readonly onExit: (ended: (why: string) => void) => void;
  readonly kill: () => void;
}

export type StartWorker = () => WorkerProcess;

/** Starts worker processes of Node, for the served studio. `file`: the bundle of src-main/worker. */
export function nodeWorkers(file: string, environment = (): NodeJS.ProcessEnv => process.env): StartWorker {
  return () => {
    const child = fork(file, [], {
      ...{ stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' },
      env: environment(),
    });
    let complaint = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      complaint = (complaint + bytes.toString()).slice(-2000);
    });
    return {
      send: (message) => {
        if (child.connected) child.send(message);
      },
      onMessage: (heard) => child.on('message', (message) => heard(message as FromWorker)),
      onExit: (ended) => {
        child.once('error', (error) => ended(error.message));
        child.once('exit', (code, signal) => ended(signal ?? lastWords(complaint, code)));
      },
      kill: () => child.kill('SIGKILL'),
    };
  };
}

/** Why a process ended: the last line it wrote to stderr, or its exit code. */
export function lastWords(complaint: string, code: number | null): string {
  return complaint.trim().split('\n').at(-1) || `exit status ${code ?? 'unknown'}`;
}
