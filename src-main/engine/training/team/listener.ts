import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { DataChannel } from './dataChannel.ts';

/** The first bytes of a data channel, before its key; HTTP/2 begins with "PRI". */
const greeting = 'DATA ';
const keyLength = 32;

/** Listens on one port for both kinds of connection: gRPC's, and data channels. A worker gets the key of its channel through gRPC. */
export class Listener {
  private readonly expected = new Map<string, (socket: Socket) => void>();
  private readonly server: Server;
  private readonly open = new Set<Socket>();

  /** `toGrpc` takes the connections that are not data channels. */
  constructor(toGrpc: (socket: Socket) => void) {
    this.server = createServer((socket) => {
      this.open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.open.delete(socket));
      this.direct(socket, toGrpc);
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

  /** Returns the key of a data channel that may connect once; `arrived` gets its socket. */
  expect(arrived: (socket: Socket) => void): string {
    const key = randomBytes(keyLength / 2).toString('hex');
    this.expected.set(key, arrived);
    return key;
  }

  forget(key: string): void {
    this.expected.delete(key);
  }

  close(): void {
    this.server.close();
    for (const socket of this.open) socket.destroy();
  }

  /** Reads until the first bytes tell which kind it is; they may come in pieces. */
  private direct(socket: Socket, toGrpc: (socket: Socket) => void): void {
    const length = greeting.length + keyLength;
    let hello = Buffer.alloc(0);
    const read = (): void => {
      hello = Buffer.concat([hello, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
      const isDataChannel = greeting.startsWith(hello.toString('latin1', 0, greeting.length));
      if (isDataChannel && hello.length < length) return;
      socket.off('readable', read);
      if (!isDataChannel) {
        socket.unshift(hello);
        return toGrpc(socket);
      }
      const key = hello.toString('latin1', greeting.length, length);
      const arrived = this.expected.get(key);
      this.expected.delete(key);
      if (hello.length > length) socket.unshift(hello.subarray(length));
      if (arrived) arrived(socket);
      else socket.destroy();
    };
    socket.on('readable', read);
  }
}

/** Connects a worker's end of the data channel with this `key`. */
export function openDataChannel(address: string, key: string, onEnd: () => void): Promise<DataChannel> {
  return new Promise((resolve, reject) => {
    const socket = connect(parts(address));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.write(greeting + key);
      resolve(new DataChannel(socket, onEnd));
    });
  });
}

function parts(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
