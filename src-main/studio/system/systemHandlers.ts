import os from 'node:os';
import type { Handlers, StudioContext } from '../context.ts';
import { listFolder } from './listFolder.ts';
import type { SocketCounts } from './socketCounts.ts';

const platforms = ['linux', 'darwin', 'win32'] as const;

export function systemHandlers(
  { library, shell, shipped }: StudioContext,
  sockets: SocketCounts,
): Handlers<'system'> {
  return {
    'system.info': () => ({
      version: shipped.version,
      shell: shell.kind,
      platform: platforms.find((name) => name === process.platform) ?? 'other',
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      threads: os.availableParallelism(),
      memory: { total: os.totalmem(), available: os.freemem() },
    }),
    'system.offline': () => ({ locked: library.settings.get().offline, ...sockets.get() }),
    'system.browse': async ({ what }) => ({ paths: await shell.browse(what) }),
    'system.list': ({ path, hidden }) => listFolder(path, hidden),
  };
}
