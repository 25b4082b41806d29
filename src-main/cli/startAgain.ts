import { spawn } from 'node:child_process';

/** Runs this very command in a process with another environment, and ends as that one does. Returns its exit status. */
export function startAgain(env: NodeJS.ProcessEnv): Promise<number> {
  const words = [...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(process.execPath, words, { env, stdio: 'inherit' });
  // A terminal tells both of Ctrl-C; who ends this one alone means the other.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => void child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
