import type { PhotoMark } from '../../../src-shared/domain/photo.ts';
import { photoAdvice, type Advice } from '../../features/photos/advice.ts';
import { lookAt, type Framed } from '../../features/photos/lookAt.ts';

/** Preflight of one photo, of the square that training takes. */
export async function markPhoto(file: string, framed: Framed): Promise<PhotoMark[]> {
  const { facts } = await lookAt(file, framed);
  return photoAdvice(facts).map((advice) => markOf(advice, 'warn'));
}

/** Advice as the studio shows it: a sentence. */
export function markOf({ code, message }: Advice, level: PhotoMark['level']): PhotoMark {
  return { code, level, message: `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.` };
}
