import type { LikenessError } from '../../src-shared/messages/index.ts';

export { forPeople } from '../../src-shared/messages/forPeople.ts';

/** 0 done, 1 failed, 2 wrong usage, 130 cancelled. */
export type ExitStatus = 0 | 1 | 2 | 130;

export function exitStatus(error: LikenessError): ExitStatus {
  if (error.code === 'cancelled') return 130;
  return error.code.startsWith('usage.') ? 2 : 1;
}
