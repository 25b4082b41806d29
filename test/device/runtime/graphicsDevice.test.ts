import os from 'node:os';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as Devices from '../../../src-main/engine/runtime/graphicsDevice.ts';

/** What the system's tools print, by the tool's name; one that is not here is not there. */
let said: Record<string, string> = {};
vi.mock('node:child_process', () => ({
  execFile: (
    name: string,
    _words: unknown,
    _options: unknown,
    done: (error: Error | null, out?: { stdout: string }) => void,
  ) => {
    const stdout = said[name];
    if (stdout === undefined) done(new Error('no such tool'));
    else done(null, { stdout });
  },
}));

const own = process.platform;
const onPlatform = (platform: NodeJS.Platform): void =>
  void Object.defineProperty(process, 'platform', { value: platform });
beforeEach(() => {
  vi.resetModules();
  said = {};
});
afterEach(() => onPlatform(own));

const look = async (): Promise<readonly Devices.GraphicsDevice[]> => {
  const { graphicsDevices } = await import('../../../src-main/engine/runtime/graphicsDevice.ts');
  return graphicsDevices();
};

it('NVIDIA’s tool tells each card and its memory, the largest first', async () => {
  onPlatform('linux');
  said['nvidia-smi'] =
    'NVIDIA GeForce GTX 1650, 550.54.14, 4096\nNVIDIA GeForce RTX 3060, 550.54.14, 12288\n';
  const [first, second] = await look();
  expect(first).toEqual({
    ...{ name: 'NVIDIA GeForce RTX 3060', driver: '550.54.14', memory: 12 * 2 ** 30, shared: false },
  });
  expect(second?.memory).toBe(4 * 2 ** 30);
});

it('what the tool says when it finds no driver is no card', async () => {
  onPlatform('win32');
  said['nvidia-smi'] = 'NVIDIA-SMI has failed because it couldn’t communicate with the NVIDIA driver.';
  expect(await look()).toEqual([]);
});

/** As `reg query` prints display adapters. */
const adapter = (number: number, values: Readonly<Record<string, string>>): string =>
  [
    `HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}\\000${number}`,
    ...Object.entries(values).map(([name, value]) => `    ${name}    REG_SZ    ${value}`),
    '',
  ].join('\r\n');

it('Windows’ registry tells a card’s own memory; one without much shares the machine’s', async () => {
  onPlatform('win32');
  said['reg'] = [
    adapter(0, { DriverDesc: 'Intel(R) UHD Graphics', DriverVersion: '31.0.101.2111' }),
    adapter(1, {
      ...{ DriverDesc: 'AMD Radeon RX 6600', DriverVersion: '32.0.11027.1003' },
      'HardwareInformation.qwMemorySize': '0x1ff000000',
    }),
    adapter(2, { DriverDesc: 'Microsoft Basic Display Adapter', DriverVersion: '10.0.1' }),
  ].join('\r\n');
  const found = await look();
  const card = { name: 'AMD Radeon RX 6600', driver: '32.0.11027.1003', memory: 0x1ff000000, shared: false };
  const inside = { name: 'Intel(R) UHD Graphics', driver: '31.0.101.2111', shared: true };
  expect(found).toHaveLength(2);
  expect(found).toContainEqual(card);
  expect(found).toContainEqual({ ...inside, memory: os.totalmem() / 2 });
});

it('a Mac’s shares the memory, most of which one program gets', async () => {
  onPlatform('darwin');
  said['sysctl'] = 'Apple M3\n';
  expect(await look()).toEqual([
    { name: 'Apple M3', driver: os.release(), memory: 0.75 * os.totalmem(), shared: true },
  ]);
});

it('a trial is made again for another driver', async () => {
  onPlatform('win32');
  const prints = [];
  for (const version of ['31.0', '32.0']) {
    vi.resetModules();
    said['reg'] = adapter(0, { DriverDesc: 'AMD Radeon RX 6600', DriverVersion: version });
    const { deviceFingerprint } = await import('../../../src-main/engine/runtime/graphicsDevice.ts');
    prints.push(await deviceFingerprint());
  }
  expect(prints[0]).toContain('AMD Radeon RX 6600 31.0');
  expect(prints[1]).not.toBe(prints[0]);
});
