import * as z from 'zod';
import { contractErrorSchema } from './errors.ts';

/** What the page sends over the WebSocket: one JSON object per message. */
export const callSchema = z.object({
  id: z.int().min(0),
  request: z.string().max(100),
  input: z.unknown(),
});

/** What comes back over the bridge for a request. */
const replySchema = z.union([
  z.object({ ok: z.literal(true), output: z.unknown() }),
  z.object({ ok: z.literal(false), error: contractErrorSchema }),
]);
export type Reply = z.infer<typeof replySchema>;

/** What comes back over the WebSocket: the answer to call `id`, or an event. */
export const messageSchema = z.union([
  z.object({ id: z.int().min(0), reply: replySchema }),
  z.object({ event: z.string(), payload: z.unknown() }),
]);
export type Message = z.infer<typeof messageSchema>;

export { socketPath } from './socketPath.ts';

/** What the preload script puts on `window.likeness` in the app; not there in the browser. */
export interface Bridge {
  readonly request: (request: string, input: unknown) => Promise<Reply>;
  /** Hears every event of the contract. Returns a function that ends this. */
  readonly listen: (heard: (event: string, payload: unknown) => void) => () => void;
  /** The path of a dropped or chosen file; empty for one that has none (pasted). */
  readonly pathOf: (file: object) => string;
}
