export interface Frame {
  readonly url: string;
  readonly parent: object | null;
}

type Handler = (event: { readonly senderFrame: Frame }, ...words: unknown[]) => unknown;

export const handlers = new Map<string, Handler>();
export const ipcMain = { handle: (channel: string, handler: Handler) => void handlers.set(channel, handler) };
