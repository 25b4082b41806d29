import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { orNothing } from '../../../src-shared/orNothing.ts';

/** Bytes in use, and of what. */
export interface MemoryInUse {
  readonly bytes: number;
  /** `device`: of the graphics device, by all programs; `process`: of this one, where a driver is software and takes the machine's. */
  readonly of: 'device' | 'process';
}

/** Device memory in use now, as far as the system tells; undefined where it does not. */
export async function memoryInUse(): Promise<MemoryInUse | undefined> {
  const device = isSoftware() ? undefined : ((await nvidia()) ?? amd() ?? (await windows()));
  if (device !== undefined) return { bytes: device, of: 'device' };
  const bytes = ownMemory();
  return bytes === undefined ? undefined : { bytes, of: 'process' };
}

/** How much device memory this program adds to what was in use, as far as the system reports it. */
export class DeviceUsage {
  private readonly looks: Promise<MemoryInUse | undefined>[] = [];

  private constructor(private readonly before: MemoryInUse | undefined) {}

  static async begin(): Promise<DeviceUsage> {
    return new DeviceUsage(await memoryInUse());
  }

  /** Looks now, and does not wait for the answer. */
  look(): void {
    this.looks.push(memoryInUse());
  }

  /** The most that was seen, less what was in use at the beginning; undefined where the system does not tell. */
  async most(): Promise<number | undefined> {
    const seen = (await Promise.all(this.looks)).flatMap((found) =>
      found?.of === 'device' ? [found.bytes] : [],
    );
    if (this.before?.of !== 'device' || !seen.length) return undefined;
    return Math.max(...seen) - this.before.bytes;
  }
}

/** A Vulkan driver that the environment names is one of the software drivers that tests use. */
function isSoftware(): boolean {
  const named = `${process.env['VK_DRIVER_FILES'] ?? ''} ${process.env['VK_ICD_FILENAMES'] ?? ''}`;
  return /lvp|lavapipe|swiftshader/i.test(named);
}

async function nvidia(): Promise<number | undefined> {
  const words = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
  const [mebibytes = ''] = (await answer('nvidia-smi', words)).split('\n');
  return mebibytes.trim() ? Number(mebibytes) * 2 ** 20 : undefined;
}

/** amdgpu reports it for each card; the fullest one is the one that computes. */
function amd(): number | undefined {
  const drm = '/sys/class/drm';
  const used = namesIn(drm).flatMap((card) => {
    const text = /^card\d+$/.test(card) ? read(`${drm}/${card}/device/mem_info_vram_used`) : '';
    return text ? [Number(text)] : [];
  });
  return used.length ? Math.max(...used) : undefined;
}

async function windows(): Promise<number | undefined> {
  if (process.platform !== 'win32') return undefined;
  const counter = '\\GPU Adapter Memory(*)\\Dedicated Usage';
  const text = await answer('typeperf', ['-sc', '1', counter]);
  const row = text.split('\n').find((line) => /^"\d\d\/\d\d/.test(line));
  const used = row
    ?.split(',')
    .slice(1)
    .map((word) => Number(word.replace(/["\s]/g, '')));
  return used?.length ? Math.max(...used.filter(Number.isFinite)) : undefined;
}

/** Linux: of this process, without the pages of files. */
function ownMemory(): number | undefined {
  const status = read('/proc/self/status');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return status ? 1024 * (kilobytes('RssAnon') + kilobytes('RssShmem')) : undefined;
}

function answer(tool: string, words: readonly string[]): Promise<string> {
  return promisify(execFile)(tool, words, { timeout: 5000, windowsHide: true }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

const namesIn = (folder: string): string[] => orNothing(() => readdirSync(folder)) ?? [];
const read = (file: string): string => orNothing(() => readFileSync(file, 'utf8')) ?? '';
