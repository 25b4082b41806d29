import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { readKept } from '../readKept.ts';
import { orNothing } from '../../src-shared/orNothing.ts';
import { makeFolders } from '../makeFolders.ts';

const keptSchema = z.object({
  port: z.int().min(1).max(65535),
  sessions: z.array(z.object({ hash: z.string().length(64), since: z.number() })),
});

/** Most browsers that are let in without the token, for a month. */
const most = 16;
const lasting = 30 * 24 * 3_600_000;

/**
 * The browsers that came in with a token. They stay admitted when the server restarts, so that open tabs keep working. Only hashes
 * of their secrets are kept, so the file lets nobody in.
 */
export class Sessions {
  private kept: readonly { readonly hash: string; readonly since: number }[] = [];
  /** The last port of the server, where open tabs look for it. */
  readonly lastPort: number | undefined;
  private port: number | undefined;

  /** `file`: where they are kept. If it is missing or damaged, the printed address must be opened again. */
  constructor(private readonly file: string) {
    const { port, sessions = [] } = readKept(file, keptSchema) ?? {};
    this.lastPort = port;
    this.kept = sessions.filter(({ since }) => Date.now() - since < lasting);
  }

  /** The server listens at `port` now. */
  listensAt(port: number): void {
    this.port = port;
    this.write();
  }

  /** A new browser's secret. */
  begin(): string {
    const secret = randomBytes(24).toString('base64url');
    this.kept = [{ hash: hashOf(secret), since: Date.now() }, ...this.kept].slice(0, most);
    this.write();
    return secret;
  }

  has(secret: string): boolean {
    const hash = Buffer.from(hashOf(secret), 'hex');
    return this.kept.some((one) => timingSafeEqual(Buffer.from(one.hash, 'hex'), hash));
  }

  private write(): void {
    const partial = `${this.file}.${process.pid}.tmp`;
    // Where they can't be written, they last only as long as the server.
    orNothing(() => {
      makeFolders(path.dirname(this.file), 0o700);
      writeFileSync(partial, JSON.stringify({ port: this.port, sessions: this.kept }), { mode: 0o600 });
      renameSync(partial, this.file);
    });
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
