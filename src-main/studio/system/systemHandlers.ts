import { readdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Handlers, StudioContext } from '../context.ts';
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
    'system.list': async ({ path: asked = os.homedir() }) => {
      const place = path.resolve(asked);
      const entries = await readdir(place, { withFileTypes: true });
      const parent = path.dirname(place);
      return {
        path: place,
        parent: parent === place ? null : parent,
        entries: entries
          .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
          .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }))
          .sort((a, b) => Number(b.folder) - Number(a.folder) || a.name.localeCompare(b.name))
          .slice(0, 2000),
      };
    },
  };
}
