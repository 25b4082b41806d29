import { expect, it } from 'vitest';
import { join } from '../../../src-main/cli/commands/join.ts';
import { isAddress, teamOf } from '../../../src-main/cli/teamOptions.ts';

it('says what each local worker computes with', () => {
  expect(teamOf({ workers: 3, workerProviders: ['cpu', 'cuda:1'] })).toMatchObject({
    workers: 3,
    workerProviders: [{ provider: 'cpu' }, { provider: 'cuda', device: 1 }],
  });
  // As many workers as providers, where nobody says a number.
  expect(teamOf({ workerProviders: ['cuda:0', 'cuda:1'] })).toMatchObject({ workers: 2 });
  expect(teamOf({ workers: 2 })?.workerProviders).toBeUndefined();
  expect(teamOf({})).toBeUndefined();
});

it.each(['gpu', 'cpu:1', 'cuda:x', 'cuda:'])('refuses %s', (word) => {
  expect(() => teamOf({ workerProviders: [word] })).toThrow(/--worker-providers.*cuda:1/);
});

it('listens on all addresses where only a port is named', () => {
  expect(teamOf({ listen: '7070' })).toMatchObject({ workers: 1, listen: '0.0.0.0:7070' });
  expect(teamOf({ listen: '192.168.1.5:7070' })).toMatchObject({ listen: '192.168.1.5:7070' });
  for (const listen of ['here', '99999', '::1', 'a b:1', ':', 'host:'])
    expect(() => teamOf({ listen })).toThrow(/--listen/);
});

it('knows an address from what is none', () => {
  expect(['big-machine:7070', '10.0.0.2:1', '[::1]:65535', '[fe80::1]:80'].filter(isAddress)).toHaveLength(4);
  const none = [
    'localhost',
    'localhost:',
    ':7070',
    'a:b',
    'host:70000',
    '::1:80',
    'http://host:80',
    'a:-1',
    '',
  ];
  expect(none.filter(isAddress)).toEqual([]);
  const words = ['localhost', '--token', 'x'];
  expect(() => join.prepare(words)).toThrow(
    'HOST:PORT cannot be "localhost"; it must be as the run prints it.',
  );
});
