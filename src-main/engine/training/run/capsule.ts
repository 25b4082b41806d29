import os from 'node:os';
import { join } from 'node:path';
import { readdirSync } from 'node:fs';
import * as z from 'zod';
import type { FinetuneSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { LikenessError, problem } from '../../../../src-shared/messages/index.ts';
import { fileHash, sha256 } from '../../checkpoints/contentHash.ts';
import { isFile, isFolder, readJson } from '../../checkpoints/files.ts';
import type { Model } from '../../checkpoints/model.ts';
import { nameOfPlace } from '../../checkpoints/nameOfPlace.ts';
import { modelHash } from '../../checkpoints/modelHash.ts';
import { writeJson } from '../../checkpoints/writeJson.ts';
import { openTokenizer } from '../../pipelines/openTokenizer.ts';
import { runtimeVersion } from '../../runtime/onnxRuntime.ts';
import { learntFrom } from '../data/photoHashes.ts';
import { capsuleFile } from './runFolder.ts';

const hashes = z.record(z.string(), z.string());

const capsuleType = z.object({
  capsule: z.literal(1),
  /** Of this program. */
  version: z.string(),
  /** What the last bits of sums depend on. */
  machine: z.object({ cpu: z.string(), threads: z.int(), platform: z.string(), onnxRuntime: z.string() }),
  /** `tokenizer`: of its vocabulary and rules; none with recorded batches, and in capsules of older versions. */
  model: z.object({
    ...{ name: z.string(), hash: z.string(), configs: z.string() },
    tokenizer: z.string().optional(),
  }),
  /** Complete, with names in place of paths. */
  settings: z.record(z.string(), z.unknown()),
  /** SHA-256 of the files that were learnt from, hex: photos, `masks/NAME`, `subject 2/NAME`, `class pictures` that were made, `--class-photos`, `--init-lora`, `--replay`. */
  files: hashes,
  /** Whether other processes computed too. */
  team: z.boolean(),
  /** SHA-256 of the weights in the last checkpoint, once there is one. */
  results: hashes.optional(),
});

/**
 * Everything that a run depends on, by hash: the same capsule gives the same bits on the same kind of processor. It holds no path
 * of this machine.
 */
export type Capsule = z.output<typeof capsuleType>;

export interface CapsuleParts {
  readonly settings: FinetuneSettings;
  readonly model: Model;
  readonly version: string;
  readonly team: boolean;
  /** Of the pictures of the class, where there are any. */
  readonly classPictures: readonly string[];
}

/** Errors: those of `learntFrom` and `openTokenizer`, `file.missing`, `file.unreadable`. */
export async function makeCapsule({
  settings,
  model,
  version,
  team,
  classPictures,
}: CapsuleParts): Promise<Capsule> {
  const { photos: _photos, classPhotos, model: _model, initLora, replay, ...others } = settings;
  const { provider: _provider, otherSubjects, ...rest } = others;
  const withoutPlaces = otherSubjects?.map(({ photos: _place, ...words }) => words);
  const learnt = await learntFrom(settings);
  const tokenizer = replay === undefined ? sha256((await openTokenizer(model)).content) : undefined;
  return {
    capsule: 1,
    version,
    machine: {
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      threads: os.availableParallelism(),
      platform: `${os.type()} ${os.arch()}`,
      onnxRuntime: runtimeVersion,
    },
    model: {
      ...{ name: nameOfPlace(settings.model), hash: modelHash(model), configs: configsOf(model) },
      ...(tokenizer !== undefined && { tokenizer }),
    },
    settings: { ...rest, ...(withoutPlaces && { otherSubjects: withoutPlaces }) },
    files: {
      ...learnt,
      ...(classPictures.length > 0 && {
        [classPhotos === undefined ? 'class pictures' : '--class-photos']: sha256(
          classPictures.map(fileHash).join(),
        ),
      }),
      ...(initLora !== undefined && { '--init-lora': placeHash(initLora) }),
      ...(replay !== undefined && { '--replay': fileHash(replay) }),
    },
    team,
  };
}

/** Sizes and schedule: all of a model but its weights and its tokenizer. */
function configsOf({ unet, vae, textEncoder, textEncoder2, scheduler }: Model): string {
  const second = textEncoder2 ? [textEncoder2.config] : [];
  return sha256(JSON.stringify([unet.config, vae.config, textEncoder.config, ...second, scheduler]));
}

/** Of a file, or of every file of weights in a folder. */
function placeHash(place: string): string {
  return isFolder(place) ? sha256(JSON.stringify(weightHashes(place))) : fileHash(place);
}

/** SHA-256 of each file of weights below a folder, by its name there. */
export function weightHashes(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(safetensors|bin)$/.test(name) && isFile(join(folder, name)));
  return Object.fromEntries(names.sort().map((name) => [name, fileHash(join(folder, name))]));
}

export function writeCapsule(run: string, capsule: Capsule): void {
  writeJson(join(run, capsuleFile), capsule);
}

/** Errors: `file.missing`, `capsule.damaged`. */
export function readCapsule(file: string): Capsule {
  const parsed = capsuleType.safeParse(contentOf(file));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw problem('capsule.damaged', { file, why: `"${issue?.path.join('.')}" is invalid` });
}

function contentOf(file: string): unknown {
  try {
    return readJson(file);
  } catch (error) {
    if (!(error instanceof LikenessError) || error.code !== 'config.invalid') throw error;
    throw problem('capsule.damaged', { file, why: 'it is not JSON' }, error);
  }
}

/**
 * How two capsules differ (not in results), each as a part of a sentence. `inputs`: what is learnt from, so the results must
 * differ.
 */
export function differences(before: Capsule, now: Capsule): { inputs: string[]; surroundings: string[] } {
  const inputs: string[] = [];
  const surroundings: string[] = [];
  const compare = (list: string[], what: string, was: unknown, is: unknown): void => {
    const [old, young] = [was, is].map((value) =>
      typeof value === 'string' ? value : JSON.stringify(value),
    );
    if (old !== young) list.push(`${what} was ${old ?? 'not there'} and is ${young ?? 'gone'}`);
  };
  const [words, wordsNow] = [before.model.tokenizer, now.model.tokenizer];
  if (words !== undefined && wordsNow !== undefined && words !== wordsNow)
    inputs.push(`the tokenizer of ${before.model.name} is another`);
  if (before.model.hash !== now.model.hash) inputs.push(`the weights of ${before.model.name} are others`);
  else if (before.model.configs !== now.model.configs)
    inputs.push(`the configuration of ${before.model.name} is another`);
  for (const name of new Set([...Object.keys(before.files), ...Object.keys(now.files)])) {
    const [was, is] = [before.files[name], now.files[name]];
    if (was !== is)
      inputs.push(
        is === undefined
          ? `${name} is gone`
          : was === undefined
            ? `${name} is new`
            : `${name} has another content`,
      );
  }
  for (const name of new Set([...Object.keys(before.settings), ...Object.keys(now.settings)]))
    compare(inputs, `"${name}"`, before.settings[name], now.settings[name]);
  compare(surroundings, 'Likeness', before.version, now.version);
  for (const name of Object.keys(before.machine) as (keyof Capsule['machine'])[])
    compare(surroundings, machineWords[name], before.machine[name], now.machine[name]);
  if (before.team) surroundings.push('other machines computed too');
  return { inputs, surroundings };
}

const machineWords = {
  cpu: 'the processor',
  threads: 'the number of threads',
  platform: 'the system',
  onnxRuntime: 'ONNX Runtime',
} as const;
