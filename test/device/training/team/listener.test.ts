import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Listener } from '../../../../src-main/engine/training/team/listener.ts';
import { DataChannel } from '../../../../src-main/engine/training/team/dataChannel.ts';

describe('the listener of a team', () => {
  const grpc: Socket[] = [];
  let listener: Listener;
  let port: number;
  let key = '';
  beforeEach(async () => {
    grpc.length = 0;
    listener = new Listener((socket) => grpc.push(socket));
    port = await listener.listen('127.0.0.1:0');
  });
  afterEach(() => listener.close());

  async function say(...pieces: readonly Uint8Array[]): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port });
    socket.setNoDelay(true).resume();
    await once(socket, 'connect');
    for (const piece of pieces) {
      socket.write(piece);
      await after(20);
    }
    return socket;
  }

  it.each([1, 5, 20, 36, 37])('knows a data channel whose first %i bytes come alone', async (length) => {
    const arrived = new Promise<Socket>((resolve) => (key = listener.expect(resolve)));
    const sent = Float32Array.from({ length: 1000 }, (_, i) => i);
    const bytes = Buffer.concat([Buffer.from(`DATA ${key}`), Buffer.from(sent.buffer)]);
    const socket = await say(bytes.subarray(0, length), bytes.subarray(length, 50), bytes.subarray(50));
    const got = new Float32Array(sent.length);
    await new DataChannel(await arrived, () => undefined).receive(got);
    expect(got).toEqual(sent);
    socket.destroy();
  });

  it('lets nobody in twice, nor without a key', async () => {
    key = listener.expect(() => undefined);
    const first = await say(Buffer.from(`DATA ${key}`));
    for (const name of [key, '0'.repeat(32)]) {
      const stranger = await say(Buffer.from(`DATA ${name}`));
      if (!stranger.closed) await once(stranger, 'close');
    }
    expect(first.destroyed).toBe(false);
    first.destroy();
  });

  it('hands what is not a data channel to gRPC, all of it', async () => {
    const socket = await say(Buffer.from('P'), Buffer.from('RI * HTTP/2.0'));
    const [handed] = grpc;
    let heard = '';
    handed?.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    await after(50);
    expect(heard).toBe('PRI * HTTP/2.0');
    socket.destroy();
  });
});
