import { orNothing } from '../orNothing.ts';

/** The value of a JSON text; undefined if it is not JSON. */
export function fromJson(text: string): unknown {
  return orNothing<unknown>(() => JSON.parse(text));
}
