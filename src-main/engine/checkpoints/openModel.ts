import type { Prediction } from '../../../src-shared/domain/prediction.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { isFile, isFolder, statOrNothing } from './files.ts';
import type { Model } from './model.ts';
import { misfit, openModelFolder, openUnetFolder } from './modelFolder.ts';
import { openSingleFile } from './singleFile.ts';

/**
 * Opens a diffusers folder or a single-file checkpoint: reads configs and lists of tensors, no weights. `prediction`: what the person
 * says that the U-Net predicts, for files that do not say it. Errors: `file.missing`, `file.unreadable`, `model.notOne`, `model.predicts`, `model.family`, `model.missingPart`, `config.invalid`, `weights.*`.
 */
export function openModel(path: string, prediction?: Prediction): Model {
  if (isFolder(path)) return openModelFolder(path, prediction);
  if (isFile(path)) return openSingleFile(path, prediction);
  if (!statOrNothing(path)) throw problem('file.missing', { file: path });
  throw problem('file.unreadable', { file: path, why: 'it is neither a file nor a folder' });
}

/** The model with a U-Net from elsewhere: a model, or the folder of a U-Net alone. Errors: those of `openModel`, `unet.otherModel`. */
export function withUnet(model: Model, place: string): Model {
  const unet = isFile(place) ? openSingleFile(place).unet : openUnetFolder(place);
  const whole = { ...model, unet };
  const why = misfit(whole);
  if (why !== undefined) throw problem('unet.otherModel', { unet: place, model: model.path, why });
  return whole;
}
