import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import { promisify } from 'node:util';
import { orNothing } from '../../../src-shared/orNothing.ts';

/** A graphics device as the system describes it. */
export interface GraphicsDevice {
  readonly name: string;
  /** Its version, as far as the system says it. */
  readonly driver: string;
  /** Bytes of its own memory, or of the memory that it shares with the processor. */
  readonly memory: number | undefined;
  readonly shared: boolean;
}

const run = promisify(execFile);
let found: Promise<readonly GraphicsDevice[]> | undefined;

/** This machine's graphics devices, the one with the most memory first; none where the system tells nothing. Looked up once. */
export function graphicsDevices(): Promise<readonly GraphicsDevice[]> {
  return (found ??= lookFor().then((devices) => devices.sort((a, b) => (b.memory ?? 0) - (a.memory ?? 0))));
}

async function lookFor(): Promise<GraphicsDevice[]> {
  if (process.platform === 'darwin') return [await appleDevice()];
  const nvidia = await tool('nvidia-smi', [
    '--query-gpu=name,driver_version,memory.total',
    '--format=csv,noheader,nounits',
  ]).then(nvidiaDevices);
  if (process.platform === 'win32') {
    const devices = windowsDevices(await tool('reg', ['query', displayClass, '/s']));
    return devices.length > 0 ? devices : nvidia;
  }
  return [...nvidia, ...linuxDevices('/sys/class/drm')];
}

/** Metal gives one program about three quarters of the memory that all share. */
const appleShare = 0.75;

async function appleDevice(): Promise<GraphicsDevice> {
  const name = (await tool('sysctl', ['-n', 'machdep.cpu.brand_string'])).trim() || 'Apple GPU';
  return { name, driver: os.release(), memory: appleShare * os.totalmem(), shared: true };
}

/** "NVIDIA GeForce RTX 3060, 550.54.14, 12288": the memory in MiB. */
function nvidiaDevices(text: string): GraphicsDevice[] {
  return text.split('\n').flatMap((line) => {
    const [name, driver, mebibytes] = line.split(',').map((word) => word.trim());
    if (!name || !driver || !Number(mebibytes)) return [];
    return [{ name, driver, memory: Number(mebibytes) * 2 ** 20, shared: false }];
  });
}

/** AMD's driver says how much memory a card has; Intel's shares the machine's. */
function linuxDevices(folder: string): GraphicsDevice[] {
  const cards = existsSync(folder) ? readdirSync(folder).filter((name) => /^card\d+$/.test(name)) : [];
  return cards.flatMap((card): GraphicsDevice[] => {
    const fact = (name: string): string => read(`${folder}/${card}/device/${name}`).trim();
    const maker = { '0x1002': 'AMD', '0x8086': 'Intel' }[fact('vendor')];
    if (!maker) return [];
    const own = Number(fact('mem_info_vram_total'));
    const name = `${maker} ${fact('device')}`;
    const driver = `Linux ${os.release()}`;
    return own > 0
      ? [{ name, driver, memory: own, shared: false }]
      : [{ name, driver, memory: os.totalmem() / 2, shared: true }];
  });
}

const displayClass =
  'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e968-e325-11ce-bfc1-08002be10318}';

/** `reg query` of the display adapters: DriverDesc, DriverVersion and HardwareInformation.qwMemorySize, what DXGI tells too. */
function windowsDevices(text: string): GraphicsDevice[] {
  return text.split(/^HKEY_LOCAL_MACHINE.*\\\d{4}\s*$/m).flatMap((part): GraphicsDevice[] => {
    const value = (name: string): string | undefined =>
      new RegExp(`^\\s*${name}\\s+REG_\\w+\\s+(.+?)\\s*$`, 'm').exec(part)?.[1];
    const [name, driver] = [value('DriverDesc'), value('DriverVersion')];
    if (!name || !driver || /Basic (Display|Render)/.test(name)) return [];
    const bytes = Number(value('HardwareInformation\\.qwMemorySize'));
    return bytes > 2 ** 30
      ? [{ name, driver, memory: bytes, shared: false }]
      : [{ name, driver, memory: os.totalmem() / 2, shared: true }];
  });
}

/** Everything that the trial of a provider depends on: with another device, driver or Vulkan set-up it is tried again. */
export async function deviceFingerprint(): Promise<string> {
  const devices = (await graphicsDevices()).map(({ name, driver }) => `${name} ${driver}`);
  const { VK_ICD_FILENAMES = '', VK_DRIVER_FILES = '' } = process.env;
  const named = [VK_ICD_FILENAMES, VK_DRIVER_FILES].filter(Boolean);
  return [process.platform, os.release(), ...devices, ...named, ...vulkanDrivers()].join('; ');
}

/** Mesa's drivers change with its package, which shows in the times of its files. */
function vulkanDrivers(): string[] {
  if (process.platform !== 'linux') return [];
  return ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].flatMap((folder) =>
    (existsSync(folder) ? readdirSync(folder) : []).map(
      (name) => `${name} ${Math.round(statSync(`${folder}/${name}`).mtimeMs)}`,
    ),
  );
}

async function tool(name: string, words: readonly string[]): Promise<string> {
  return run(name, words, { timeout: 5000, windowsHide: true }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

const read = (file: string): string => orNothing(() => readFileSync(file, 'utf8')) ?? '';
