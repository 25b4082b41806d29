import type { Readable } from 'node:stream';

export interface FileAnswer {
  readonly status: 200 | 404;
  readonly type: string;
  readonly body: Buffer | Readable | string;
  /** May be cached for ever under this address. */
  readonly lasting: boolean;
  /** Its path, for files of the window. */
  readonly file?: string;
  /** The browser saves it under this name. */
  readonly saveAs?: string;
}

export const nothing: FileAnswer = { status: 404, type: 'text/plain', body: 'not here', lasting: false };

/** The headers of a file, besides the security headers. */
export function fileHeaders({ type, lasting, saveAs }: FileAnswer): Record<string, string> {
  return {
    'Content-Type': type,
    'Cache-Control': lasting ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    ...(saveAs !== undefined && {
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(saveAs)}`,
    }),
  };
}
