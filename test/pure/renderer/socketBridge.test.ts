import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { socketBridge, type ConnectionState } from '../../../src-renderer/client/socketBridge.ts';

/** A browser's socket, opened and closed by hand. */
class Socket {
  static readonly OPEN = 1;
  static readonly all: Socket[] = [];
  readyState = 0;
  onopen?: () => void;
  onclose?: () => void;
  readonly sent: string[] = [];

  constructor() {
    Socket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  open(): void {
    this.readyState = Socket.OPEN;
    this.onopen?.();
  }

  close(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}

/** Answers what the page asks to learn why the socket closed. */
let answer: (status: number) => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  Socket.all.length = 0;
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('location', { href: 'http://127.0.0.1:4242/' });
  vi.stubGlobal('fetch', () => new Promise((resolve) => (answer = (status) => resolve({ status }))));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function watched(): { states: ConnectionState[]; bridge: ReturnType<typeof socketBridge> } {
  const states: ConnectionState[] = [];
  const bridge = socketBridge();
  bridge.watch((state) => states.push(state));
  return { states, bridge };
}

it('tells that the studio went away even where it is back before anybody knows why', async () => {
  const { states } = watched();
  Socket.all[0]?.open();
  Socket.all[0]?.close();
  await vi.advanceTimersByTimeAsync(300);
  Socket.all[1]?.open();
  answer(200);
  await vi.advanceTimersByTimeAsync(10);
  expect(states).toEqual(['open', 'lost', 'open']);
});

it('tells that it is locked out once the page says so', async () => {
  const { states } = watched();
  Socket.all[0]?.open();
  Socket.all[0]?.close();
  answer(403);
  await vi.advanceTimersByTimeAsync(10);
  expect(states).toEqual(['open', 'lost', 'locked']);
});

it('refuses what was asked when the socket closes, and sends what is asked later', async () => {
  const { bridge } = watched();
  const refused = bridge.request('jobs.list', {});
  Socket.all[0]?.close();
  expect(await refused).toMatchObject({ ok: false, error: { code: 'connection.lost' } });
  await vi.advanceTimersByTimeAsync(300);
  void bridge.request('jobs.list', {});
  Socket.all[1]?.open();
  expect(Socket.all[1]?.sent).toEqual([JSON.stringify({ id: 2, request: 'jobs.list', input: {} })]);
});
