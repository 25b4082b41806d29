import { basename, dirname, join } from 'node:path';
import { problem } from '../../../../src-shared/messages/index.ts';
import { embeddingFile } from '../../checkpoints/embedding.ts';
import { isFile } from '../../checkpoints/files.ts';
import { networkNames, type Model, type NetworkName } from '../../checkpoints/model.ts';
import { hasHash } from '../../checkpoints/modelHash.ts';
import { learntWords } from '../data/learntWords.ts';
import { trainedFiles } from './checkpoint.ts';
import { RunFolder } from './runFolder.ts';

/**
 * Refuses a checkpoint that has lost some of what its run trains: the rest can be read, and draws other pictures. `place`: a run, of
 * which the last checkpoint is meant, or the folder of a checkpoint; anything else passes. Errors: `run.half`, `run.damaged`.
 */
export function refuseHalfCheckpoint(place: string, model: Model): void {
  const isStep = basename(dirname(place)) === 'checkpoints' && /^\d+$/.test(basename(place));
  const isRun = RunFolder.exists(place);
  const run = new RunFolder(isRun || !isStep ? place : join(place, '..', '..'));
  if (!RunFolder.exists(run.path)) return;
  const last = run.checkpointSteps().at(-1);
  const folder = isRun ? last !== undefined && run.checkpointPath(last) : place;
  if (folder === false) return;
  const hasSecond = model.textEncoder2 !== undefined && hasHash(model, run.modelHash());
  const [part] = lostParts(run, folder, hasSecond);
  if (part !== undefined) throw problem('run.half', { folder, part });
}

/**
 * What the run trains and this checkpoint does not hold, as names below its folder. `hasSecond`: the model has a second text encoder.
 * Errors: `run.damaged`.
 */
export function lostParts(run: RunFolder, folder: string, hasSecond: boolean): readonly string[] {
  if (run.kind() === 'distill') return hasNetwork(folder, 'unet') ? [] : ['unet'];
  const settings = run.describe().settings;
  if (settings.method === 'embedding')
    return [...learntWords(settings).keys()].map(embeddingFile).filter((file) => !isFile(join(folder, file)));
  const trained = networkNames.filter((part) => part === 'unet' || settings.trainTextEncoder);
  return trained.filter((part) => (part !== 'text_encoder_2' || hasSecond) && !hasNetwork(folder, part));
}

/** Whether a checkpoint has anything of a network. Where one of PEFT's two files is there, its reader misses the other by name. */
export function hasNetwork(folder: string, part: NetworkName): boolean {
  const adapter = ['adapter_config.json', 'adapter_model.safetensors', 'adapter_model.bin'];
  const files = [trainedFiles[part], ...adapter.map((name) => join(part, name))];
  return files.some((name) => isFile(join(folder, name)));
}
