import { spawn } from 'node:child_process';

/** Runs this command again in a process with another environment. Returns its exit status. */
export function startAgain(env: NodeJS.ProcessEnv): Promise<number> {
  const words = [...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(process.execPath, words, { env, stdio: 'inherit' });
  // Ctrl-C in a terminal reaches both processes; a signal to this one alone is passed on.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => void child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
