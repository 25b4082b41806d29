import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { listeningOptions, parts, type Caller } from './secrecy.ts';

export interface ListenerEvents {
  /** A process that knows the token connects to work. */
  readonly onWorker: (socket: TLSSocket, id: string) => void;
  /** The process of this id lives. */
  readonly onHeartbeat: (id: string) => void;
}

/** Listens on one port, encrypted. Without the token, nobody gets past the handshake. */
export class Listener {
  private readonly server: Server;
  private readonly callers = new WeakMap<object, Caller>();
  private readonly open = new Set<Socket>();

  constructor(token: string, { onWorker, onHeartbeat }: ListenerEvents) {
    const options = listeningOptions(token, (socket, caller) => this.callers.set(socket, caller));
    this.server = createServer(options, (socket) => {
      socket.on('error', () => undefined);
      const caller = this.callers.get(socket);
      if (caller?.kind === 'work') onWorker(socket, caller.id);
      else if (caller) socket.on('data', () => onHeartbeat(caller.id));
      else socket.destroy();
    });
    this.server.on('connection', (socket: Socket) => {
      this.open.add(socket);
      socket.on('close', () => this.open.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  /** Listens at "host:port"; returns the port. */
  listen(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(parts(address), () => {
        const bound = this.server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : 0);
      });
    });
  }

  /** Accepts no more connections; open ones end by themselves. */
  close(): void {
    this.server.close();
    for (const socket of this.open) socket.unref();
  }
}
