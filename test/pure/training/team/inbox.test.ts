import { expect, it } from 'vitest';
import { fromWorkerType, Inbox, toWorkerType } from '../../../../src-main/engine/training/team/protocol.ts';

const said = (...messages: readonly unknown[]): string[] => {
  const heard: string[] = [];
  const inbox = new Inbox(toWorkerType, ({ type }) => heard.push(type));
  for (const message of messages)
    inbox.take(message instanceof Uint8Array ? Buffer.from(message) : Buffer.from(JSON.stringify(message)));
  return heard;
};

it('a message with its tensors is heard when it is whole', () => {
  const tensors = [{ name: 'x', dtype: 'f32', shape: [2] }];
  expect(said({ type: 'values' }, { type: 'batch', tensors }, new Uint8Array(4))).toEqual(['values']);
  expect(said({ type: 'batch', tensors }, new Uint8Array(4), new Uint8Array(4))).toEqual(['batch']);
});

it.each([
  null,
  7,
  [],
  {},
  { type: 'ready' },
  { type: 'run', channel: 7 },
  { type: 'batch', tensors: 'many' },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'u8', shape: [2] }] },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'f32', shape: [-1] }] },
  { type: 'batch', tensors: [{ name: 'x', dtype: 'f32', shape: [60_000, 60_000] }] },
  { type: 'batch', tensors: Array(64).fill({ name: 'x', dtype: 'f32', shape: [4 << 20] }) },
])('what is no message, or announces too much, is refused: %j', (message) => {
  expect(() => said(message)).toThrow();
});

it('half a message, and a message of megabytes, are refused', () => {
  expect(() => said(Buffer.from('{"type":"val'))).toThrow();
  expect(() => said({ type: 'values', more: 'x'.repeat(1 << 20) })).toThrow(/bytes/);
});

it('a loss that is no number comes as such', () => {
  const json: unknown = JSON.parse(JSON.stringify({ type: 'gradient', losses: { loss: NaN }, seconds: 1 }));
  expect(fromWorkerType.parse(json)).toEqual({ type: 'gradient', losses: { loss: NaN }, seconds: 1 });
});
