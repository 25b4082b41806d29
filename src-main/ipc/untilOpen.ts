import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Keeps what comes to a server before anybody listens to its requests: Node would never answer it, and a page that comes
 * back early would wait for ever. Returns a function that hands all of it on.
 */
export function untilOpen(server: Server): () => void {
  const kept: (() => void)[] = [];
  const request = (asked: IncomingMessage, response: ServerResponse): void => {
    kept.push(() => server.emit('request', asked, response));
  };
  const upgrade = (asked: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // A page that has gone again is nobody's trouble.
    socket.on('error', () => undefined);
    kept.push(() => server.emit('upgrade', asked, socket, head));
  };
  server.on('request', request).on('upgrade', upgrade);
  return () => {
    server.off('request', request).off('upgrade', upgrade);
    for (const handOn of kept) handOn();
  };
}
