import { Worker } from 'node:worker_threads';
import type { JobKind } from '../../src-shared/domain/job.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { inStudio } from '../../src-shared/messages/inStudio.ts';
import { hearProviders } from '../features/providers.ts';
import type { AskVariety, FromWorker, Start, ToWorker } from '../features/tasks.ts';
import { guardSockets } from '../socketLock.ts';
import { perform, prepare } from './tasks.ts';

/**
 * A worker process. The studio sends it a task over a channel; it does the task with the command line's features, and then ends or
 * waits for the next one. It ends with the studio.
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

/** ONNX Runtime blocks this thread for seconds, so another one notices when the parent has died. */
function dieWithParent(): void {
  const watch = `
    const { ppid } = process;
    setInterval(() => { if (process.ppid !== ppid) process.kill(process.pid, 'SIGKILL'); }, 500);
  `;
  new Worker(watch, { eval: true }).unref();
}

const port = openPort();
/** Stops the current task. */
let present = new AbortController();
let working = Promise.resolve();
dieWithParent();
setInterval(() => port.send({ type: 'memory', bytes: process.memoryUsage.rss() }), 1000).unref();

port.listen((message) => {
  present.abort(problem('cancelled', {}));
  if (message.type === 'stop') return;
  const own = (present = new AbortController());
  working = working.then(async () => {
    // If preparation is too late or fails, the task opens the model, or reports the error, itself.
    if (message.type === 'prepare') {
      settle(false);
      return prepare(message, own.signal).catch(() => undefined);
    }
    if (message.type === 'variety') return end(await answer(message));
    const last = await work(message, own.signal);
    if (message.stay && last.type === 'done') port.send(last);
    else end(last);
  });
});

/** Sets what may be reached over the network, and who hears about providers. Returns a function that ends the latter. */
function settle(online: boolean, report: Parameters<typeof hearProviders>[0] = () => undefined): () => void {
  guardSockets({
    allows: () => online,
    tried: (host, refused) => port.send({ type: 'socket', host, refused }),
  });
  return hearProviders(report);
}

async function work(start: Start<JobKind>, signal: AbortSignal): Promise<FromWorker> {
  const tellNoMore = settle(start.online, (event) => port.send({ type: 'event', event }));
  try {
    const result = await perform(start, {
      report: (event) => port.send({ type: 'event', event }),
      signal,
    });
    return { type: 'done', result };
  } catch (error) {
    return { type: 'failed', problem: inStudio(error) };
  } finally {
    tellNoMore();
  }
}

async function answer({ request }: AskVariety): Promise<FromWorker> {
  settle(false);
  try {
    const { photoVariety } = await import('../features/photos/variety.ts');
    return { type: 'answer', variety: await photoVariety(request) };
  } catch (error) {
    return { type: 'failed', problem: inStudio(error) };
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
