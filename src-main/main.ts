import path from 'node:path';
import { app, BrowserWindow, dialog, ipcMain, protocol, shell, utilityProcess } from 'electron';
import { forPeople } from '../src-shared/messages/forPeople.ts';
import { cacheFolder, computingEnvironment, defaultLibrary } from './places.ts';
import { bundleFolder, shippedFiles } from './shipped.ts';
import type { Shell } from './studio/context.ts';
import { answer } from './ipc/answer.ts';
import { isOwn } from './ipc/electron/origin.ts';
import { refuseEverythingElse } from './ipc/electron/refuse.ts';
import { openWindow, setMenu } from './ipc/electron/window.ts';
import { fileHeaders, type FileAnswer } from './ipc/fileAnswer.ts';
import { pictureFile, rendererFile } from './ipc/files.ts';
import { securityHeaders } from './ipc/headers.ts';
import { libraryFiles } from './ipc/libraryFiles.ts';
import { lastWords, type StartWorker } from './jobs/workerProcess.ts';
import { openStudio, type Studio } from './studio/studio.ts';

const dist = bundleFolder();
const preload = path.join(dist, 'preload.cjs');

protocol.registerSchemesAsPrivileged([
  { scheme: 'likeness', privileges: { standard: true, secure: true, supportFetchAPI: true } },
]);
app.enableSandbox();

if (!app.requestSingleInstanceLock()) app.quit();
else void app.whenReady().then(start);

async function start(): Promise<void> {
  let studio: Studio;
  try {
    studio = await openStudio({
      folder: defaultLibrary(),
      shipped: shippedFiles(),
      shell: appShell,
      startWorker: utilityWorkers(path.join(dist, 'worker.js')),
    });
  } catch (error) {
    dialog.showErrorBox('Likeness', forPeople(error).message);
    app.exit(1);
    return;
  }
  refuseEverythingElse();
  servePage(studio);
  setMenu();
  ipcMain.handle('contract', (event, call: { request?: unknown; input?: unknown } | undefined) => {
    const { senderFrame } = event;
    if (senderFrame?.parent !== null || !isOwn(senderFrame.url))
      return {
        ok: false,
        error: { code: 'request.refused', message: 'Refused: this page is not of the studio.' },
      };
    return answer(studio.handlers, call?.request, call?.input);
  });
  let window = openWindow(preload);
  studio.listen((event, payload) => {
    if (!window.isDestroyed()) window.webContents.send('contract', event, payload);
  });
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) window = openWindow(preload);
  });
  app.on('window-all-closed', () => process.platform !== 'darwin' && app.quit());
  let closed = false;
  app.on('before-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void studio.close().finally(() => {
      closed = true;
      app.quit();
    });
  });
}

/** The bundle and the library's pictures, by the page's own scheme. */
function servePage({ library }: Studio): void {
  const pictures = libraryFiles(library, path.join(cacheFolder(), 'thumbnails', library.folder.name));
  protocol.handle('likeness', async (request) => {
    const { pathname, searchParams, host } = new URL(request.url);
    const found: FileAnswer =
      host !== 'studio' || request.method !== 'GET'
        ? { status: 404, type: 'text/plain', body: 'not here', lasting: false }
        : pathname.startsWith('/files/')
          ? await pictureFile(pictures, pathname, searchParams.get('w'))
          : rendererFile(path.join(dist, 'renderer'), pathname);
    const body = found.body as unknown as ConstructorParameters<typeof Response>[0];
    return new Response(body, {
      status: found.status,
      headers: { ...securityHeaders(''), ...fileHeaders(found) },
    });
  });
}

/** Electron's own child processes: they end with the app. */
function utilityWorkers(file: string): StartWorker {
  return () => {
    const child = utilityProcess.fork(file, [], {
      serviceName: 'Likeness worker',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: computingEnvironment(),
    });
    let complaint = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      complaint = (complaint + bytes.toString()).slice(-2000);
    });
    return {
      send: (message) => child.postMessage(message),
      onMessage: (heard) => void child.on('message', heard),
      onExit: (ended) => void child.once('exit', (code) => ended(lastWords(complaint, code))),
      kill: () => {
        if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
      },
    };
  };
}

const appShell: Shell = {
  kind: 'app',
  reveal: (file) => {
    shell.showItemInFolder(file);
    return Promise.resolve();
  },
  browse: async (what) => {
    const properties = {
      photos: ['openFile', 'openDirectory', 'multiSelections'],
      folder: ['openDirectory'],
      model: ['openFile', 'openDirectory'],
      file: ['openFile'],
    } as const;
    const { filePaths } = await dialog.showOpenDialog({ properties: [...properties[what]] });
    return filePaths;
  },
  trash: (file) => shell.trashItem(file),
};
