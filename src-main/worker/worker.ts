import { Worker } from 'node:worker_threads';
import type { JobKind } from '../../src-shared/domain/job.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { forPeople } from '../../src-shared/messages/forPeople.ts';
import { hearProviders } from '../features/providers.ts';
import type { FromWorker, Start, ToWorker } from '../features/tasks.ts';
import { guardSockets } from '../socketLock.ts';
import { perform } from './tasks.ts';

/**
 * A worker process: told one task by the studio over its channel, does it with the features that the command line uses, and
 * ends. Without the studio it has no reason to live: it ends with it.
 */
interface Port {
  readonly send: (message: FromWorker) => void;
  readonly listen: (heard: (message: ToWorker) => void) => void;
}

interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', heard: (event: { data: unknown }) => void): void;
}

/** Electron's utility processes have a port, Node's children a channel. */
function openPort(): Port {
  const { parentPort } = process as unknown as { readonly parentPort?: ParentPort };
  if (parentPort)
    return {
      send: (message) => parentPort.postMessage(message),
      listen: (heard) => parentPort.on('message', ({ data }) => heard(data as ToWorker)),
    };
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  return {
    send: (message) => void process.send?.(message),
    listen: (heard) => process.on('message', (message) => heard(message as ToWorker)),
  };
}

/** ONNX Runtime blocks this thread for seconds; another one notices when the parent has died. */
function dieWithParent(): void {
  const watch = `
    const { ppid } = process;
    setInterval(() => { if (process.ppid !== ppid) process.kill(process.pid, 'SIGKILL'); }, 500);
  `;
  new Worker(watch, { eval: true }).unref();
}

const port = openPort();
const controller = new AbortController();
dieWithParent();
setInterval(() => port.send({ type: 'memory', bytes: process.memoryUsage.rss() }), 1000).unref();

port.listen((message) => {
  if (message.type === 'stop') controller.abort(problem('cancelled', {}));
  else void work(message).then(end);
});

async function work(start: Start<JobKind>): Promise<FromWorker> {
  guardSockets({
    allows: () => start.online,
    tried: (host, refused) => port.send({ type: 'socket', host, refused }),
  });
  hearProviders((event) => port.send({ type: 'event', event }));
  try {
    const result = await perform(start, {
      report: (event) => port.send({ type: 'event', event }),
      signal: controller.signal,
    });
    return { type: 'done', result };
  } catch (error) {
    const { code, message } = forPeople(error);
    return { type: 'failed', problem: { code, message } };
  }
}

/** Native threads may keep the process alive for no reason; the last word must be out first. */
function end(last: FromWorker): void {
  if (process.send) process.send(last, () => process.exit(0));
  else {
    port.send(last);
    setTimeout(() => process.exit(0), 200);
  }
}
