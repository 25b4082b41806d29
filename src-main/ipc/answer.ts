import { toDotPath } from 'zod/v4/core';
import type { Reply } from '../../src-shared/contract/wire.ts';
import { requests, type Output, type RequestName, type ValidInput } from '../../src-shared/contract/index.ts';
import { inStudio } from '../../src-shared/messages/inStudio.ts';
import { problem } from '../../src-shared/messages/index.ts';

/** A function for every request of the contract. */
export type AllHandlers = {
  readonly [N in RequestName]: (input: ValidInput<N>) => Output<N> | Promise<Output<N>>;
};

/** Answers one request. Unknown names and invalid input are refused with an error of the contract. */
export async function answer(handlers: AllHandlers, request: unknown, input: unknown): Promise<Reply> {
  let field: string | undefined;
  try {
    if (typeof request !== 'string' || !Object.hasOwn(requests, request))
      throw problem('request.unknown', { request: String(request).slice(0, 60) });
    const name = request as RequestName;
    const parsed = requests[name].input.safeParse(input ?? {});
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      field = toDotPath(issue?.path ?? []).slice(0, 100);
      throw problem('request.invalid', { field, why: (issue?.message ?? 'it is not valid').slice(0, 200) });
    }
    const handler = handlers[name] as (input: unknown) => unknown;
    return { ok: true, output: await handler(parsed.data) };
  } catch (error) {
    const { code, message } = inStudio(error);
    return { ok: false, error: { code, message, ...(field !== undefined && { field }) } };
  }
}
