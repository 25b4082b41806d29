/** What `work` gives, or undefined where it fails, whatever the reason. */
export function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
