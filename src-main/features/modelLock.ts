import { hasHash } from '../engine/checkpoints/modelHash.ts';
import { openModel } from '../engine/checkpoints/openModel.ts';
import { problem } from '../../src-shared/messages/index.ts';

/** A model as it was when it was added to the library. */
export interface ModelLock {
  readonly path: string;
  readonly hash: string;
}

/** Errors: `model.changed`, those of `openModel`. */
export function checkLock({ path, hash }: ModelLock): void {
  if (!hasHash(openModel(path), hash)) throw problem('model.changed', { path });
}
