import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';
import type { EventName, Input, Output, Payload, RequestName } from '../../src-shared/contract/index.ts';
import type { Job } from '../../src-shared/domain/job.ts';
import { messageSchema, socketPath, type Reply } from '../../src-shared/contract/wire.ts';
import { bundleFolder, shippedFiles } from '../../src-main/shipped.ts';
import { serve, type Served } from '../../src-main/serve.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-studio-'));
// What can be made again is nobody else's either.
process.env['LIKENESS_CACHE'] = path.join(scratch, 'cache');

/** A path for a library that is not there yet; beside it nothing else. */
export function newLibrary(): string {
  return path.join(mkdtempSync(path.join(scratch, 'home-')), 'library');
}

export function removeLibraries(): void {
  rmSync(scratch, { recursive: true, force: true });
}

/** The window and the workers are as new as their sources. */
export function buildStudio(): void {
  execFileSync(process.execPath, ['src-main/scripts/setup.mjs', '--studio'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Serves the studio as `likeness serve` does, with the real workers. */
export function serveLibrary(folder: string): Promise<Served> {
  return serve({ folder, port: 0, host: '127.0.0.1', shipped: shippedFiles(), dist: bundleFolder() });
}

/** Opens the printed address as a browser does: the token becomes a cookie. */
export async function enter(address: string): Promise<{ origin: string; cookie: string }> {
  const url = new URL(address);
  const answer = await fetch(url, { redirect: 'manual' });
  return { origin: url.origin, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

const lost: Reply = { ok: false, error: { code: 'connection.lost', message: 'the studio went away' } };

/** A window's end of the contract. */
export class Client {
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private readonly heard: [EventName, unknown][] = [];
  private calls = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const message = messageSchema.parse(JSON.parse((data as Buffer).toString()));
      if ('event' in message) this.heard.push([message.event as EventName, message.payload]);
      else this.waiting.get(message.id)?.(message.reply);
    });
    socket.on('close', () => {
      for (const answer of this.waiting.values()) answer(lost);
    });
  }

  static async open(address: string): Promise<Client> {
    const { origin, cookie } = await enter(address);
    const socket = new WebSocket(origin.replace('http', 'ws') + socketPath, { origin, headers: { cookie } });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return new Client(socket);
  }

  /** Whatever is sent, and whatever comes back. */
  call(request: unknown, input: unknown): Promise<Reply> {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.resolve(lost);
    const id = ++this.calls;
    const reply = new Promise<Reply>((resolve) => this.waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, request, input }));
    return reply;
  }

  async ask<N extends RequestName>(request: N, input: Input<N>): Promise<Output<N>> {
    const reply = await this.call(request, input);
    if (!reply.ok) throw new Error(`${request}: ${reply.error.code}: ${reply.error.message}`);
    return reply.output as Output<N>;
  }

  events<N extends EventName>(name: N): Payload<N>[] {
    return this.heard.filter(([heard]) => heard === name).map(([, payload]) => payload as Payload<N>);
  }

  /** The job once it has ended. */
  async ended(id: number): Promise<Job> {
    for (;;) {
      const job = (await this.ask('jobs.list', {})).find((one) => one.id === id);
      if (job && ['done', 'failed', 'cancelled'].includes(job.state)) return job;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
