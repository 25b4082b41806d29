import type { Readable } from 'node:stream';
import type { Encoding } from './compressed.ts';

export interface FileAnswer {
  readonly status: 200 | 404;
  readonly type: string;
  readonly body: Buffer | Readable | string;
  /** May be cached for ever under this address. */
  readonly lasting: boolean;
  /** How the body is compressed. */
  readonly encoding?: Encoding;
  /** The browser saves it under this name. */
  readonly saveAs?: string;
}

export const nothing: FileAnswer = { status: 404, type: 'text/plain', body: 'not here', lasting: false };

/** Answers with what may be another thing tomorrow. */
export function fresh(type: string, body: FileAnswer['body']): FileAnswer {
  return { status: 200, type, body, lasting: false };
}

/** The headers of a file, besides the security headers. */
export function fileHeaders({ type, lasting, encoding, saveAs }: FileAnswer): Record<string, string> {
  return {
    'Content-Type': type,
    'Cache-Control': lasting ? 'private, max-age=31536000, immutable' : 'private, no-cache',
    ...(encoding && { 'Content-Encoding': encoding, Vary: 'Accept-Encoding' }),
    ...(saveAs !== undefined && {
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(saveAs)}`,
    }),
  };
}
