import type { ContractError } from '../../src-shared/contract/errors.ts';

/** A refused request: `message` is the sentence for people, `code` what programs test. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem';
  readonly code: string;
  readonly field: string | undefined;

  constructor({ code, message, field }: ContractError) {
    super(message);
    this.code = code;
    this.field = field;
  }
}
