import type * as z from 'zod';

/** A request: what goes in and what comes back. The input is validated on entry; the output is what a handler returns. */
export interface Endpoint<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly input: I;
  readonly output: O;
}

export function endpoint<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Endpoint<I, O> {
  return { input, output };
}
