import { existsSync } from 'node:fs';
import { problem } from '../../src-shared/messages/index.ts';

/** A model, if its files are there. Errors: `model.away`. */
export function presentModel<M extends { readonly path: string }>(model: M): M {
  if (!existsSync(model.path)) throw problem('model.away', { path: model.path });
  return model;
}
