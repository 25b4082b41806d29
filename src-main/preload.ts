import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { Bridge, Reply } from '../src-shared/contract/wire.ts';

/** The contract, and nothing else of Electron, for the page. */
const bridge: Bridge = {
  request: (request, input) => ipcRenderer.invoke('contract', { request, input }) as Promise<Reply>,
  listen: (heard) => {
    const listener = (_event: unknown, name: string, payload: unknown): void => heard(name, payload);
    ipcRenderer.on('contract', listener);
    return () => void ipcRenderer.removeListener('contract', listener);
  },
  pathOf: (file) => webUtils.getPathForFile(file as Parameters<typeof webUtils.getPathForFile>[0]),
};

contextBridge.exposeInMainWorld('likeness', bridge);
