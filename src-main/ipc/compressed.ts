import { existsSync } from 'node:fs';

/** What the build writes beside each file of the window (`src-renderer/vite.config.ts`), the smallest first. */
const endings = { br: '.br', gzip: '.gz' } as const;
export type Encoding = keyof typeof endings;

/** The compressed copy of a file, in the smallest encoding that the browser accepts. `accepts`: Accept-Encoding. */
export function compressed(
  file: string,
  accepts: string,
): { readonly file: string; readonly encoding: Encoding } | undefined {
  const offered = accepts.split(',').map((one) => one.split(';')[0]?.trim());
  return (Object.keys(endings) as Encoding[])
    .filter((encoding) => offered.includes(encoding))
    .map((encoding) => ({ file: file + endings[encoding], encoding }))
    .find((copy) => existsSync(copy.file));
}
