import { duplexPair, type Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import {
  Connection,
  ConnectionLost,
  MessageFault,
} from '../../../../src-main/engine/training/team/connection.ts';
import { fromWorkerType, toWorkerType } from '../../../../src-main/engine/training/team/protocol.ts';

function message(said: unknown): Buffer {
  const body = said instanceof Uint8Array ? Buffer.from(said) : Buffer.from(JSON.stringify(said));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

function connected(): { connection: Connection; other: Duplex } {
  const [here, there] = duplexPair();
  return { connection: new Connection(here), other: there };
}

/** What is heard of some bytes before the connection ends. */
async function heard(...pieces: readonly Uint8Array[]) {
  const { connection, other } = connected();
  for (const piece of pieces) other.write(piece);
  other.end();
  return connection.next(toWorkerType);
}

it('a message with its tensors is heard when it is whole', async () => {
  const tensors = [
    { name: 'x', dtype: 'f32', shape: [2] },
    { name: 'n', dtype: 'i64', shape: [1] },
  ];
  const floats = new Uint8Array(Float32Array.of(1.5, -2).buffer);
  const whole = [message({ type: 'batch', tensors }), floats, new Uint8Array(BigInt64Array.of(7n).buffer)];
  const { said, tensors: got } = await heard(...whole);
  expect(said).toEqual({ type: 'batch' });
  expect(got['x']?.data).toEqual(Float32Array.of(1.5, -2));
  expect(got['n']?.data).toEqual(BigInt64Array.of(7n));
  await expect(heard(...whole.slice(0, 2))).rejects.toThrow(ConnectionLost);
});

it('messages and arrays arrive in the order they were sent in, in whatever pieces', async () => {
  const { connection, other } = connected();
  const sender = new Connection(other);
  const values = Float32Array.from({ length: 1 << 19 }, (_, i) => i);
  void sender.say({ type: 'values' });
  void sender.give(values);
  void sender.say({ type: 'end' });
  expect((await connection.next(toWorkerType)).said.type).toBe('values');
  const got = new Float32Array(values.length);
  await connection.receive(got);
  expect(Buffer.from(got.buffer).equals(Buffer.from(values.buffer))).toBe(true);
  expect((await connection.next(toWorkerType)).said.type).toBe('end');
});

it.each([1, 3, 4, 5, 17])('a message whose first %i bytes come alone', async (length) => {
  const bytes = message({ type: 'values' });
  expect((await heard(bytes.subarray(0, length), bytes.subarray(length))).said.type).toBe('values');
});

it.each([
  null,
  7,
  [[]],
  {},
  { type: 'ready' },
  { type: 'refused', why: 7 },
  { type: 'batch', tensors: 'many' },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'u8', shape: [2] }] },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'f32', shape: [-1] }] },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'f32', shape: [60_000, 60_000] }] },
  { type: 'batch', tensors: Array(64).fill({ name: 'x', dtype: 'f32', shape: [4 << 20] }) },
])('what is no message, or announces too much, is refused: %j', async (said) => {
  await expect(heard(message(said))).rejects.toThrow(MessageFault);
});

it('half a message ends with the connection; a message of megabytes is refused before it is read', async () => {
  await expect(heard(message(Buffer.from('{"type":"val')))).rejects.toThrow(MessageFault);
  await expect(heard(message({ type: 'values' }).subarray(0, 9))).rejects.toThrow(ConnectionLost);
  await expect(heard(Buffer.from([0xff, 0xff, 0xff, 0xff]))).rejects.toThrow(/bytes/);
});

it('a loss that is no number comes as such; a name has no control characters', () => {
  const json: unknown = JSON.parse(JSON.stringify({ type: 'gradient', losses: { loss: NaN }, seconds: 1 }));
  expect(fromWorkerType.parse(json)).toEqual({ type: 'gradient', losses: { loss: NaN }, seconds: 1 });
  const ready = fromWorkerType.parse({ type: 'ready', length: 3, name: 'a\u001b[2Jb' });
  expect(ready).toMatchObject({ name: 'a [2Jb' });
});
