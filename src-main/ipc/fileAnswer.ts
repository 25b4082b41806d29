import type { Readable } from 'node:stream';

export interface FileAnswer {
  readonly status: 200 | 404;
  readonly type: string;
  readonly body: Buffer | Readable | string;
  /** May be kept for ever, under this address. */
  readonly lasting: boolean;
  /** Where it is, of a file of the window's own. */
  readonly file?: string;
  /** It is for taking away, under this name. */
  readonly saveAs?: string;
}

export const nothing: FileAnswer = { status: 404, type: 'text/plain', body: 'not here', lasting: false };

/** What a file is sent with besides the security headers. */
export function fileHeaders({ type, lasting, saveAs }: FileAnswer): Record<string, string> {
  return {
    'Content-Type': type,
    'Cache-Control': lasting ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    ...(saveAs !== undefined && {
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(saveAs)}`,
    }),
  };
}
