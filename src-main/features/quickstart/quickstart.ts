import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { subjectPrompt } from '../../engine/training/data/prompts.ts';
import type { FinetuneSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { readRecipe } from '../../engine/pictures/png.ts';
import { listPhotos } from '../../engine/training/data/photoFolder.ts';
import { RunFolder } from '../../engine/training/run/runFolder.ts';
import { exportRun } from '../export/export.ts';
import { generate } from '../generation/generate.ts';
import { generateDefaults } from '../generation/request.ts';
import { finetune } from '../training/finetune.ts';
import { drawContactSheet } from './contactSheet.ts';
import { commonScenes as scenes } from '../../../src-shared/domain/scenes.ts';
import { pictureSeed, type QuickstartRequest } from './request.ts';
import { plural } from '../../../src-shared/plural.ts';

interface Picture {
  readonly path: string;
  readonly prompt: string;
  readonly seed: number;
}

type ExportFormat = 'kohya' | 'diffusers';

export interface QuickstartResult {
  readonly out: string;
  readonly run: string;
  readonly settings: FinetuneSettings;
  readonly contactSheet: string;
  /** Whether the sheet has labels. */
  readonly labelled: boolean;
  readonly pictures: readonly Picture[];
  /** Each was read back and compared. */
  readonly weights: readonly { readonly format: ExportFormat; readonly path: string }[];
  readonly steps: number;
}

/**
 * Photos to pictures in one go: a finetune, the subject in several scenes, weights for other tools, a contact sheet. Continues
 * what an earlier call left in `request.out`. Errors: those of the features, `quickstart.other`.
 */
export async function quickstart(
  request: QuickstartRequest,
  context: JobContext,
  version: string,
): Promise<QuickstartResult> {
  const { out, photos, classNoun, model, provider } = request;
  const say = (message: string): void => context.report({ type: 'note', message });
  refuseOther(request);
  const files = await listPhotos(photos);
  say(`Everything goes into ${out}; after an interruption, the same command with --out "${out}" continues.`);

  say(`1 of 4: learning the ${classNoun} from ${plural(files.length, 'photo', 'photos')} in ${photos}`);
  const run = join(out, 'run');
  const { steps: wanted } = request;
  const asked = { model, photos, classNoun, provider, ...(wanted !== undefined && { steps: wanted }) };
  const { steps } = await finetune({ out: run, resume: true, settings: asked }, context, version);
  const { settings } = new RunFolder(run).describe();

  say('2 of 4: writing the weights for other tools');
  const weights: { format: ExportFormat; path: string }[] = [];
  makeFolder(join(out, 'weights'));
  for (const { format, path, isWhole } of exportsOf(settings, join(out, 'weights'))) {
    if (!isWhole()) {
      rmSync(path, { recursive: true, force: true });
      await exportRun({ run, format, out: path, transformers: 4 }, context);
    }
    weights.push({ format, path });
  }

  say(`3 of 4: drawing ${scenes.length} scenes`);
  const folder = join(out, 'pictures');
  const prompts = scenes.map((scene) => `${subjectPrompt(settings)} ${scene}`);
  const made = await picturesIn(folder);
  const missing = prompts.filter((prompt) => !made.some((picture) => picture.prompt === prompt));
  if (missing.length > 0) {
    const { images } = await generate(
      { ...generateDefaults, out: folder, prompts: missing, seed: pictureSeed, provider, model: run },
      context,
      version,
    );
    made.push(...images);
  }
  const pictures = prompts.flatMap((prompt) => made.find((picture) => picture.prompt === prompt) ?? []);

  say('4 of 4: laying out the contact sheet');
  const { png, labelled } = await drawContactSheet({
    photos: files,
    pictures: pictures.map(({ path, prompt }) => ({ path, label: prompt })),
    titles: {
      photos: `${plural(files.length, 'photo', 'photos')} of the subject: ${classNoun}`,
      pictures: `New pictures after ${plural(steps, 'step', 'steps')} of finetuning; "${settings.token}" stands for the subject`,
    },
  });
  const contactSheet = join(out, 'contact-sheet.png');
  writeAtomically(contactSheet, () => [png]);
  return { out, run, settings, contactSheet, labelled, pictures, weights, steps };
}

/** Refuses a folder in which an earlier call asked for something else. Errors: `quickstart.other`. */
function refuseOther({ out, photos, classNoun, model, steps }: QuickstartRequest): void {
  const run = join(out, 'run');
  if (!RunFolder.exists(run)) return;
  const { settings } = new RunFolder(run).describe();
  const asked = { photos, classNoun, model, steps: steps ?? settings.steps };
  const same = (Object.keys(asked) as (keyof typeof asked)[]).every((key) => settings[key] === asked[key]);
  if (!same) throw problem('quickstart.other', { folder: out });
}

/** A LoRA as one file, and a whole model; `isWhole` tells whether an earlier call finished it. */
function exportsOf(
  { method, token, classNoun }: FinetuneSettings,
  folder: string,
): { format: ExportFormat; path: string; isWhole: () => boolean }[] {
  const name = `${token}-${classNoun}`.replace(/[^\p{L}\p{N}]+/gu, '-');
  const lora = join(folder, `${name}.safetensors`);
  const whole = join(folder, 'diffusers');
  return [
    ...(method !== 'full' ? [{ format: 'kohya' as const, path: lora, isWhole: () => existsSync(lora) }] : []),
    { format: 'diffusers', path: whole, isWhole: () => existsSync(join(whole, 'model_index.json')) },
  ];
}

/** Pictures that an earlier call made, by the recipes they carry. */
async function picturesIn(folder: string): Promise<Picture[]> {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /^\d+-.*\.png$/.test(name));
  const pictures: Picture[] = [];
  for (const name of files) {
    const path = join(folder, name);
    const { prompt, seed } = await readRecipe(path);
    if (seed === pictureSeed) pictures.push({ path, prompt, seed });
  }
  return pictures;
}
