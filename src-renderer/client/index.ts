import type { EventName, Input, Output, Payload, RequestName } from '../../src-shared/contract/index.ts';
import type { Bridge } from '../../src-shared/contract/wire.ts';
import { RequestProblem } from './problem.ts';
import { socketBridge, type ConnectionState } from './socketBridge.ts';

declare global {
  interface Window {
    /** The preload script's, in the app. */
    readonly likeness?: Bridge;
  }
}

const served = window.likeness ? undefined : socketBridge();
const bridge: Bridge | undefined = window.likeness ?? served;

/** Asks the studio. Throws `RequestProblem`. */
export async function request<N extends RequestName>(name: N, input: Input<N>): Promise<Output<N>> {
  const reply = await bridge?.request(name, input);
  if (!reply) throw new Error('there is no bridge');
  if (!reply.ok) throw new RequestProblem(reply.error);
  return reply.output as Output<N>;
}

type Heard = (payload: never) => void;
const heardBy = new Map<string, Set<Heard>>();

/** Calls `heard` on each event of that name. Returns a function that ends this. */
export function listen<N extends EventName>(name: N, heard: (payload: Payload<N>) => void): () => void {
  const listeners = heardBy.get(name) ?? new Set<Heard>();
  heardBy.set(name, listeners.add(heard));
  return () => listeners.delete(heard);
}

bridge?.listen((event, payload) => {
  for (const heard of heardBy.get(event) ?? []) heard(payload as never);
});

/** The path of a dropped or chosen file; empty in the browser, which does not reveal it. */
export function pathOf(file: File): string {
  return bridge?.pathOf(file) ?? '';
}

export type { ConnectionState } from './socketBridge.ts';

/** Reports when the studio goes away and comes back; in the app it never does. */
export function watchConnection(changed: (state: ConnectionState) => void): void {
  served?.watch(changed);
}
