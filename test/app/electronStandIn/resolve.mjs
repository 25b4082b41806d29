/** `node --import …/resolve.mjs`: what asks for `electron` gets the stand-in. Runs once in the program and once in its loader. */
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  return next(specifier === 'electron' ? new URL('./electron.ts', import.meta.url).href : specifier, context);
}
