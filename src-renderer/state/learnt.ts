import { eachSubject } from '../../src-shared/domain/runSubjects.ts';
import type { Run } from '../../src-shared/domain/run.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';

type Words = Pick<Subject, 'token' | 'classNoun'>;

/** What a subject is called in prompts: "sks dog". */
export function nameOf({ token, classNoun }: Words): string {
  return `${token} ${classNoun}`;
}

/** The names in prompts of all that a run learns. */
export function namesOf({ settings }: Pick<Run, 'settings'>): string[] {
  return eachSubject(settings).map(nameOf);
}

/** Whether a run learns a subject beside its own; it knows it by its words in prompts. */
export function learnsToo({ settings }: Pick<Run, 'settings'>, subject: Words): boolean {
  return (settings.otherSubjects ?? []).some((other) => nameOf(other) === nameOf(subject));
}
