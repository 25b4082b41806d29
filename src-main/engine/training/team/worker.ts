import { randomBytes } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { forPeople } from '../../../../src-shared/messages/forPeople.ts';
import { problem } from '../../../../src-shared/messages/index.ts';
import type { LocalGradients } from '../loss/gradients.ts';
import { Connection, ConnectionLost, MessageFault } from './connection.ts';
import { longestSilence, startHeartbeat } from './heartbeat.ts';
import { toWorkerType, type FromWorker } from './protocol.ts';
import { callingOptions, strangers } from './secrecy.ts';
import { receiveModel } from './sentModel.ts';

/** What computes the gradients of batches. */
export type WorkerSource = Pick<LocalGradients, 'layout' | 'one' | 'dispose'>;

/** Asks the run for its model of this hash, and writes it to `folder`. */
export type AskForModel = (
  hash: string,
  folder: string,
  onBytes: (done: number, total: number) => void,
) => Promise<void>;

export interface WorkerOptions {
  /** "host:port" of the run. */
  readonly address: string;
  readonly token: string;
  /** How the team calls this worker. */
  readonly name: string;
  /** Builds the loss of the run that the team works on. */
  readonly open: (run: unknown, askForModel: AskForModel) => Promise<WorkerSource>;
  readonly signal: AbortSignal;
  readonly onBatch?: ((done: number) => void) | undefined;
}

/**
 * Computes gradients for a run elsewhere until it ends. Returns how many. Errors: `team.unreachable`, `team.refused`, `team.gone`,
 * `team.notUnderstood`, those of `open`.
 */
export async function workFor(options: WorkerOptions): Promise<number> {
  const { address, token, signal } = options;
  const id = `${process.pid}-${randomBytes(8).toString('hex')}`;
  const socket = await reach(options, id);
  const connection = new Connection(socket);
  const leave = (): void => connection.close();
  signal.addEventListener('abort', leave);
  const stopHeartbeat = startHeartbeat(callingOptions(address, token, { kind: 'heartbeat', id }));
  try {
    return await work(connection, options);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConnectionLost) throw problem('team.gone', { address }, error);
    if (error instanceof MessageFault) throw problem('team.notUnderstood', { address }, error);
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    stopHeartbeat();
    await connection.finish();
  }
}

async function work(connection: Connection, options: WorkerOptions): Promise<number> {
  const { address, name, open, onBatch } = options;
  const say = (said: FromWorker): Promise<void> => connection.say(said);
  /** Tells the run too what goes wrong here. */
  const attempt = async <T>(doing: () => Promise<T>): Promise<T> => {
    try {
      return await doing();
    } catch (error) {
      const { code, message } = forPeople(error);
      await say({ type: 'failed', code, message });
      throw error;
    }
  };
  const { said: told } = await connection.next(toWorkerType);
  if (told.type !== 'run') throw new MessageFault(`${told.type} before the run`);
  const askForModel: AskForModel = async (hash, folder, onBytes) => {
    await say({ type: 'lacks', hash });
    const { said } = await connection.next(toWorkerType);
    if (said.type === 'refused') throw problem('team.refused', { address, why: said.why });
    if (said.type !== 'model') throw new MessageFault(`${said.type} in place of a model`);
    await receiveModel(said.contents, connection, folder, onBytes);
  };
  const source = await attempt(() => open(told.run, askForModel));
  try {
    const [values, gradient] = [source.layout.allocate(), source.layout.allocate()];
    await say({ type: 'ready', length: values.length, name });
    for (let done = 0; ;) {
      const { said, tensors } = await connection.next(toWorkerType);
      if (said.type === 'end') return done;
      if (said.type === 'refused') throw problem('team.refused', { address, why: said.why });
      if (said.type === 'run' || said.type === 'model') throw new MessageFault(`${said.type} once more`);
      if (said.type === 'values') await connection.receive(values);
      else {
        const started = performance.now();
        const losses = await attempt(() => source.one(tensors, values, gradient));
        const seconds = (performance.now() - started) / 1000;
        void say({ type: 'gradient', losses, seconds });
        await connection.give(gradient);
        done++;
        onBatch?.(done);
      }
    }
  } finally {
    await source.dispose();
  }
}

/** Refusals of the handshake: the other end knows the protocol, but not this key. */
const otherKey = /ALERT_(ILLEGAL_PARAMETER|HANDSHAKE_FAILURE|DECRYPT_ERROR)/;

/** Connects to the run. Errors: `team.unreachable`, `team.refused`, `team.notUnderstood`. */
function reach({ address, token, signal }: WorkerOptions, id: string): Promise<TLSSocket> {
  const { psk, identity, ...where } = callingOptions(address, token, { kind: 'work', id });
  const socket = connect({ ...where, ...strangers, pskCallback: () => ({ psk, identity }) });
  // A machine that is switched off doesn't even refuse.
  const tooLong = setTimeout(() => socket.destroy(new Error('no answer')), longestSilence * 1000);
  const leave = (): void => void socket.destroy(new Error('stopped'));
  signal.addEventListener('abort', leave);
  return new Promise<TLSSocket>((resolve, reject) => {
    socket.once('error', (error: Error & { code?: string }) => {
      const code = error.code ?? '';
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : error);
      else if (otherKey.test(code)) {
        const why = 'the token is another one, or the version of Likeness is';
        reject(problem('team.refused', { address, why }, error));
      } else if (/SSL|CERT|TLS/.test(code)) reject(problem('team.notUnderstood', { address }, error));
      else reject(problem('team.unreachable', { address }, error));
    });
    socket.once('secureConnect', () => {
      socket.removeAllListeners('error');
      // Whether the run's machine is still there, the system asks while nothing is sent; it gives up after 20 s.
      socket.setKeepAlive(true, 10_000);
      resolve(socket);
    });
  }).finally(() => {
    clearTimeout(tooLong);
    signal.removeEventListener('abort', leave);
  });
}
