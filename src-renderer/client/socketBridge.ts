import { socketPath } from '../../src-shared/contract/socketPath.ts';
import type { Bridge, Message, Reply } from '../../src-shared/contract/wire.ts';
import { texts } from '../texts/index.ts';

/** The studio answers; or nothing does; or it restarted without its sessions and doesn't know this browser. */
export type ConnectionState = 'open' | 'lost' | 'locked';

export interface SocketBridge extends Bridge {
  readonly watch: (changed: (state: ConnectionState) => void) => void;
}

const firstWait = 250;
const longestWait = 5000;

/** A refused socket does not tell why; a refused page does. */
async function whatHappened(): Promise<ConnectionState> {
  try {
    return (await fetch('/', { method: 'HEAD', cache: 'no-store' })).status === 403 ? 'locked' : 'lost';
  } catch {
    return 'lost';
  }
}

/** The contract over the WebSocket of `likeness serve`. Reconnects by itself; pending calls are refused. */
export function socketBridge(): SocketBridge {
  const url = new URL(socketPath, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const waiting = new Map<number, (reply: Reply) => void>();
  const unsent: string[] = [];
  const listeners = new Set<(event: string, payload: unknown) => void>();
  const watchers = new Set<(state: ConnectionState) => void>();
  let socket: WebSocket | undefined;
  let wait = firstWait;
  let lastId = 0;

  const tell = (state: ConnectionState): void => {
    if (state !== 'open' && socket?.readyState === WebSocket.OPEN) return;
    for (const watcher of watchers) watcher(state);
  };

  function connect(): void {
    const opened = new WebSocket(url);
    socket = opened;
    opened.onopen = () => {
      wait = firstWait;
      for (const text of unsent.splice(0)) opened.send(text);
      tell('open');
    };
    opened.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if ('event' in message) for (const listener of listeners) listener(message.event, message.payload);
      else {
        waiting.get(message.id)?.(message.reply);
        waiting.delete(message.id);
      }
    };
    opened.onclose = () => {
      const error = { code: 'connection.lost', message: texts.connection.error };
      for (const answer of waiting.values()) answer({ ok: false, error });
      waiting.clear();
      unsent.length = 0;
      // At once: a studio that is back before this is known counts as back too.
      tell('lost');
      void whatHappened().then(tell);
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, longestWait);
    };
  }
  connect();

  return {
    request: (request, input) =>
      new Promise((answer) => {
        const id = (lastId += 1);
        const text = JSON.stringify({ id, request, input });
        waiting.set(id, answer);
        if (socket?.readyState === WebSocket.OPEN) socket.send(text);
        else unsent.push(text);
      }),
    listen: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    watch: (changed) => watchers.add(changed),
    pathOf: () => '',
  };
}
