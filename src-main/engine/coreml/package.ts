import path from 'node:path';
import { makeFolder } from '../checkpoints/files.ts';
import { writeJson } from '../checkpoints/writeJson.ts';
import { writeAtomically } from '../checkpoints/writeSafetensors.ts';
import type { MilModel } from './program.ts';
import { encodeModel } from './schema.ts';

const author = 'com.apple.CoreML';
/** Names of a package's two items within its own manifest; any will do, and the same ones keep an export's bytes the same. */
const [modelItem, weightsItem] = [
  '5B2D7A7E-6A1C-4B3E-9F58-0C1D8E2A4F61',
  'A93E4C10-2F7D-4E86-B0A5-7D6C1B9E3F42',
];

/** Where a package keeps its program and its weights. */
export const packageFiles = {
  model: path.join('Data', author, 'model.mlmodel'),
  weights: path.join('Data', author, 'weights', 'weight.bin'),
};

/** Writes a `.mlpackage` (apple/coremltools, modelpackage/src/ModelPackage.cpp). Errors: `file.unwritable`, `export.overflow`. */
export function writePackage(folder: string, { proto, blobs }: MilModel): void {
  makeFolder(path.dirname(path.join(folder, packageFiles.weights)));
  writeAtomically(path.join(folder, packageFiles.weights), () => blobs.bytes());
  writeAtomically(path.join(folder, packageFiles.model), () => [encodeModel(proto)]);
  const item = (name: string, description: string): Record<string, string> => ({
    ...{ author, description, name, path: `${author}/${name}` },
  });
  writeJson(path.join(folder, 'Manifest.json'), {
    fileFormatVersion: '1.0.0',
    itemInfoEntries: {
      [modelItem]: item('model.mlmodel', 'CoreML Model Specification'),
      [weightsItem]: item('weights', 'CoreML Model Weights'),
    },
    rootModelIdentifier: modelItem,
  });
}
