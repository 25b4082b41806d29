import { readFileSync } from 'node:fs';

/**
 * The most bytes this process had resident. Linux counts this process alone; `maxRSS` may start at the value of the parent
 * process.
 */
export function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
