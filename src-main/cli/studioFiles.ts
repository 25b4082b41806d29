import os from 'node:os';
import path from 'node:path';
import { packageRoot, sampleSubject, scorerFiles, shippedModel, version } from './shipped.ts';

/** What the studio's features get of what comes with Likeness. */
export function shippedFiles() {
  return { version, model: shippedModel, sample: sampleSubject(), scorers: scorerFiles };
}

/** The folder of the bundles: this module's own, once it is bundled; beside package.json in the sources. */
export function bundleFolder(): string {
  return path.join(packageRoot, 'dist');
}

/** Where a person's library is unless they say otherwise: LIKENESS_LIBRARY, or among their pictures. */
export function defaultLibrary(): string {
  return process.env['LIKENESS_LIBRARY'] ?? path.join(os.homedir(), 'Pictures', 'Likeness');
}
