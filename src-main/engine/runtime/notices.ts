/** Passes on what a person should hear about providers, where no caller waits for an answer. */
type Listener = (sentence: string) => void;

const listeners = new Set<Listener>();
const given = new Set<string>();

/** Calls `listener` with each sentence, also with earlier ones. Returns a function that ends it. */
export function onProviderNotice(listener: Listener): () => void {
  for (const sentence of given) listener(sentence);
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Tells a sentence, once in a process. */
export function providerNotice(sentence: string): void {
  if (given.has(sentence)) return;
  given.add(sentence);
  for (const listener of listeners) listener(sentence);
}
