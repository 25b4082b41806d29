import path from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  protocol,
  session,
  shell,
  utilityProcess,
} from 'electron';
import { forPeople } from '../src-shared/messages/forPeople.ts';
import { bundleFolder, defaultLibrary, shippedFiles } from './cli/studioFiles.ts';
import type { Shell } from './features/studioContext.ts';
import { answer } from './ipc/answer.ts';
import { pictureFile, rendererFile, type FileAnswer } from './ipc/files.ts';
import { securityHeaders } from './ipc/headers.ts';
import { libraryFiles } from './ipc/libraryFiles.ts';
import type { StartWorker } from './jobs/workerProcess.ts';
import { cacheFolder } from './storage/cacheFolder.ts';
import { openStudio, type Studio } from './studio.ts';

/** The page's address: a scheme of its own, so that nothing is read with the rights of `file:`. */
const origin = 'likeness://studio';
const dist = bundleFolder();

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
  let window = openWindow();
  ipcMain.handle('contract', (event, call: { request?: unknown; input?: unknown } | undefined) => {
    const { senderFrame } = event;
    if (senderFrame?.parent !== null || new URL(senderFrame.url).origin !== origin)
      return {
        ok: false,
        error: { code: 'request.refused', message: 'Refused: this page is not of the studio.' },
      };
    return answer(studio.handlers, call?.request, call?.input);
  });
  studio.listen((event, payload) => {
    if (!window.isDestroyed()) window.webContents.send('contract', event, payload);
  });
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore();
    window.focus();
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) window = openWindow();
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

function openWindow(): BrowserWindow {
  Menu.setApplicationMenu(null);
  const window = new BrowserWindow({
    width: 1280,
    height: 840,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Likeness',
    webPreferences: {
      preload: path.join(dist, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${origin}/`);
  return window;
}

/** No page but ours, no window but ours, no permission at all, no request to elsewhere. */
function refuseEverythingElse(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event, url) => {
      if (new URL(url).origin !== origin) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
  const { defaultSession } = session;
  defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false));
  defaultSession.setPermissionCheckHandler(() => false);
  defaultSession.setDevicePermissionHandler(() => false);
  defaultSession.webRequest.onBeforeRequest((details, decide) =>
    decide({ cancel: !/^(likeness|blob|data|devtools):/.test(details.url) }),
  );
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
          : rendererFile(path.join(dist, 'renderer'), decodeURIComponent(pathname));
    const body = found.body as unknown as ConstructorParameters<typeof Response>[0];
    return new Response(body, {
      status: found.status,
      headers: { ...securityHeaders(''), 'Content-Type': found.type },
    });
  });
}

/** Electron's own child processes: they end with the app. */
function utilityWorkers(file: string): StartWorker {
  return () => {
    const child = utilityProcess.fork(file, [], { serviceName: 'Likeness worker', stdio: 'ignore' });
    return {
      send: (message) => child.postMessage(message),
      onMessage: (heard) => void child.on('message', heard),
      onExit: (ended) => void child.once('exit', (code) => ended(`exit status ${code}`)),
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
      png: ['openFile'],
    } as const;
    const { filePaths } = await dialog.showOpenDialog({ properties: [...properties[what]] });
    return filePaths;
  },
  trash: (file) => shell.trashItem(file),
};
