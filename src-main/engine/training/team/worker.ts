import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { forPeople } from '../../../../src-shared/messages/forPeople.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { LocalGradients } from '../loss/gradients.ts';
import { openDataChannel } from './listener.ts';
import type { DataChannel } from './dataChannel.ts';
import {
  Inbox,
  method,
  send,
  toWorkerType,
  type FromWorker,
  type Tensors,
  type ToWorker,
} from './protocol.ts';

export interface WorkerOptions {
  /** "host:port" of the run. */
  readonly address: string;
  readonly token: string;
  /** How the team calls this worker. */
  readonly name: string;
  /** Builds the loss of the run that the team works on. */
  readonly open: (run: unknown) => Promise<LocalGradients>;
  readonly signal: AbortSignal;
  readonly onBatch?: ((done: number) => void) | undefined;
}

/** Computes gradients for a run elsewhere until it ends. Returns how many. Errors: `team.unreachable`, `team.refused`, those of `open`. */
export async function workFor({
  address,
  token,
  name,
  open,
  signal,
  onBatch,
}: WorkerOptions): Promise<number> {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('token', token);
  const bytes = (message: Buffer): Buffer => message;
  const stream = client.makeBidiStreamRequest(method, bytes, bytes, metadata);
  const leave = (): void => stream.cancel();
  signal.addEventListener('abort', leave);

  let source: LocalGradients | undefined;
  let values: Float32Array = new Float32Array();
  let gradient: Float32Array = new Float32Array();
  let channel: DataChannel | undefined;
  let ended: (error: Error) => void = () => undefined;
  let done = 0;
  let work: Promise<void> = Promise.resolve();

  const answer = async (said: ToWorker, tensors: Tensors): Promise<void> => {
    if (said.type === 'run') {
      source = await open(said.run);
      [values, gradient] = [source.layout.allocate(), source.layout.allocate()];
      channel = await openDataChannel(address, said.channel, () => ended(problem('team.gone', { address })));
      await send(stream, { type: 'ready', length: values.length, name } satisfies FromWorker);
    } else if (said.type === 'values') {
      await channel?.receive(values);
    } else if (said.type === 'batch' && source) {
      const started = performance.now();
      const losses = await source.one(tensors, values, gradient);
      const seconds = (performance.now() - started) / 1000;
      await send(stream, { type: 'gradient', losses, seconds } satisfies FromWorker);
      await channel?.send(gradient);
      onBatch?.(++done);
    }
  };

  try {
    await new Promise<void>((resolve, reject) => {
      ended = reject;
      const inbox = new Inbox<ToWorker>(toWorkerType, (said, tensors) => {
        if (said.type === 'end') return resolve();
        work = work
          .then(() => answer(said, tensors))
          .catch(async (error: unknown) => {
            const { code, message } = forPeople(error);
            await send(stream, { type: 'failed', code, message } satisfies FromWorker);
            reject(error instanceof Error ? error : new Error(message));
          });
      });
      stream.on('data', (message: Buffer) => {
        try {
          inbox.take(message);
        } catch (error) {
          reject(problem('team.notUnderstood', { address }, error));
        }
      });
      stream.on('error', (error: ServiceError) => reject(signal.aborted ? reasonOf(signal) : told(error)));
      stream.on('end', () => reject(problem('team.gone', { address })));
    });
    return done;
  } finally {
    signal.removeEventListener('abort', leave);
    stream.end();
    channel?.close();
    await source?.dispose();
    client.close();
  }

  function told(error: ServiceError): Error {
    const refused = error.code === status.UNAUTHENTICATED || error.code === status.FAILED_PRECONDITION;
    if (refused) return problem('team.refused', { address, why: error.details }, error);
    return source
      ? problem('team.gone', { address }, error)
      : problem('team.unreachable', { address }, error);
  }
}

const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('stopped');
