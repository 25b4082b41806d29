import { execFileSync } from 'node:child_process';

/** Before any test: the command is as new as its sources. */
export default function buildCommand(): void {
  execFileSync(process.execPath, ['src-main/scripts/setup.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
