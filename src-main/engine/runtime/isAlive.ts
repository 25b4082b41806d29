/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // One that may not be signalled is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
