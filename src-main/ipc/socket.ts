import type { Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { fromJson } from '../../src-shared/domain/fromJson.ts';
import { callSchema, socketPath, type Message } from '../../src-shared/contract/wire.ts';
import { problem } from '../../src-shared/messages/index.ts';
import { answer, type AllHandlers } from './answer.ts';
import type { Guard } from './guard.ts';

/** Photos travel as base64: 100 MB, a third more, and the rest of the message. */
const maxMessage = 150_000_000;

/** The contract over a WebSocket of `server`: calls in, replies and every event out. */
export function serveContract(
  server: Server,
  guard: Guard,
  handlers: AllHandlers,
  listen: (heard: (event: string, payload: unknown) => void) => () => void,
): { close: () => void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessage });
  server.on('upgrade', (request, socket, head) => {
    const refused = guard.refusal(request, true);
    if (refused !== undefined || new URL(request.url ?? '', 'http://x').pathname !== socketPath) {
      socket.end(`HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n${refused ?? ''}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => talk(opened, handlers));
  });
  const stop = listen((event, payload) => {
    const text = JSON.stringify({ event, payload } satisfies Message);
    for (const socket of sockets.clients) socket.send(text);
  });
  return {
    close: () => {
      stop();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function talk(socket: WebSocket, handlers: AllHandlers): void {
  const send = (message: Message): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  // After a message that is too large or malformed, the socket closes itself; nothing else happens.
  socket.on('error', () => undefined);
  socket.on('message', (data, isBinary) => {
    const call = isBinary ? undefined : callSchema.safeParse(fromJson((data as Buffer).toString())).data;
    if (!call) {
      const { code, message } = problem('request.invalid', { field: 'message', why: 'it is not a call' });
      send({ id: 0, reply: { ok: false, error: { code, message } } });
      return;
    }
    void answer(handlers, call.request, call.input).then((reply) => send({ id: call.id, reply }));
  });
}
