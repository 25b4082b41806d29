import { plural } from '../../../src-shared/plural.ts';
import type { BoxLikeness } from '../../features/generation/measureBoxes.ts';
import type { GenerateRequest } from '../../features/generation/request.ts';
import { scorerFiles, version } from '../../shipped.ts';
import { command } from '../command.ts';
import { generateOptions } from '../generateOptions.ts';
import { generateRequest, selectionOf } from '../generateRequest.ts';

export const generate = command({
  name: 'generate',
  summary: 'make pictures from prompts',
  usage: '--prompt TEXT… --out DIR [OPTIONS]',
  examples: [
    'likeness generate --prompt "a photo of a red ball" --out pictures',
    'likeness generate --prompt "a photo of sks dog on a beach" --lora runs/dog:0.8 --count 4 --seed 7 --out pictures',
    'likeness generate --prompt "a photo of sks dog on a sofa" --lora runs/dog --image sofa.jpg --mask where.png --out pictures',
    'likeness generate --recipe pictures/00001.png --out again',
  ],
  options: generateOptions,
  request: (given) => ({
    asked: generateRequest(given),
    model: given.model,
    select: selectionOf(given),
    photos: given.photos,
    grid: given.grid,
  }),
  run: async ({ asked, model, select, photos, grid }, context) => {
    const { generate } = await import('../../features/generation/generate.ts');
    const { requestFromRecipe } = await import('../../features/generation/fromRecipe.ts');
    const { modelFor } = await import('../../features/generation/runs.ts');
    const { allLoras } = await import('../../features/generation/loraTags.ts');
    const request =
      'said' in asked
        ? await requestFromRecipe(asked.recipe, asked.said)
        : {
            ...asked,
            model:
              model ??
              modelFor([...allLoras(asked), ...(asked.regions ?? []).map(({ lora }) => lora)], asked.model) ??
              asked.model,
          };
    if (grid !== undefined) {
      const { prepareGrid } = await import('../../features/generation/grid.ts');
      await prepareGrid(grid);
    }
    let afterwards = (): void => undefined;
    const onJournal = (end: () => void): void => void (afterwards = end);
    if (select) {
      const { selectPictures } = await import('../../features/generation/selectPictures.ts');
      const { photosOf, withoutRunAsModel } = await import('../../features/generation/runs.ts');
      const taught = withoutRunAsModel(request).loras;
      const likeness = {
        photos: photosOf(taught, photos, request.prompts),
        mobileNet: scorerFiles.mobileNet,
      };
      const onTried = (tried: number, kept: number): void =>
        context.report({ type: 'note', message: `${tried} drawn, ${kept} kept` });
      const found = await selectPictures(
        { ...request, goOn: true },
        { by: select, likeness },
        context,
        version,
        { onTried, onJournal },
      );
      await writeGrid(grid, found.images);
      const lines = found.images.map(
        ({ path, seed, likeness: value }) => `${path} (seed ${seed}, likeness ${value.toFixed(3)})`,
      );
      return {
        fields: { ...found },
        text: [...lines, `It took ${plural(found.tried, 'picture', 'pictures')}.`].join('\n'),
        afterwards,
      };
    }
    const result = await generate({ ...request, goOn: true }, context, version, { onJournal });
    await writeGrid(grid, result.images);
    const boxes = await likenessOfBoxes(request, result.images);
    const text = result.images
      .map(({ path, seed }, i) => [`${path} (seed ${seed})`, ...describeBoxes(boxes[i] ?? [])].join('\n'))
      .join('\n');
    return { fields: { ...result, ...(boxes.length > 0 && { boxes }) }, text, afterwards };
  },
});

/** How much each box is like its own subject and like the others', where runs with photos draw them. */
async function likenessOfBoxes(
  { regions = [] }: GenerateRequest,
  images: readonly { readonly path: string }[],
): Promise<readonly (readonly BoxLikeness[])[]> {
  if (regions.length === 0) return [];
  const { measureBoxes } = await import('../../features/generation/measureBoxes.ts');
  return measureBoxes(
    regions,
    images.map(({ path: file }) => file),
    scorerFiles.mobileNet,
  );
}

function describeBoxes(boxes: readonly BoxLikeness[]): string[] {
  return boxes.map(
    ({ own, elsewhere }, i) =>
      `  box ${i + 1}: likeness ${own.toFixed(3)} to its own subject; ${elsewhere.map((value) => value.toFixed(3)).join(', ')} elsewhere in the picture`,
  );
}

/** All pictures in one: prompts go down, seeds across. */
async function writeGrid(
  file: string | undefined,
  images: readonly { readonly path: string; readonly seed: number; readonly prompt: string }[],
): Promise<void> {
  if (file === undefined) return;
  const { drawGrid } = await import('../../features/generation/grid.ts');
  const seeds = [...new Set(images.map(({ seed }) => seed))];
  const prompts = [...new Set(images.map(({ prompt }) => prompt))];
  const png = await drawGrid({
    columns: seeds.map((seed) => `seed ${seed}`),
    rows: prompts.map((prompt) => ({
      label: prompt,
      files: seeds.map((seed) => images.find((one) => one.prompt === prompt && one.seed === seed)?.path),
    })),
  });
  const { writeAtomically } = await import('../../engine/checkpoints/writeSafetensors.ts');
  writeAtomically(file, () => [png]);
}
