import type { Model } from '../../engine/checkpoints/model.ts';
import { bindLoras } from '../../engine/pipelines/adapters.ts';
import type { Region } from '../../engine/pipelines/regions.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { Recipe } from '../../../src-shared/domain/recipe.ts';
import { nameOfPlace } from '../../engine/checkpoints/nameOfPlace.ts';
import { rememberPlace } from './knownPlaces.ts';
import { openTaught } from './openForGeneration.ts';
import type { GenerateRequest } from './request.ts';
import { weightsOfRuns } from './runs.ts';

export interface OpenedRegions {
  readonly regions: readonly Region[];
  readonly recipe: NonNullable<Recipe['regions']>;
}

/** Opens what each box of a picture is drawn with. Errors: those of `openTaught`. */
export function openRegions(
  { regions = [], provider, partial = false }: Pick<GenerateRequest, 'regions' | 'provider' | 'partial'>,
  model: Model,
  report: JobContext['report'],
): OpenedRegions | undefined {
  if (regions.length === 0) return undefined;
  const opened = regions.map(({ box, lora, prompt }) => {
    const taught = openTaught(lora, model, { report, partial });
    const { adapters, matrices } = bindLoras('adapters' in taught ? [taught] : []);
    const whole = weightsOfRuns(model, 'parts' in taught ? [taught] : []);
    rememberPlace(taught.hash, lora.path);
    return {
      region: {
        ...{ box, prompt },
        networks: { provider, adapters, own: (name: string) => matrices(name) ?? whole(name) },
      },
      recipe: {
        ...{ box, prompt },
        lora: { path: nameOfPlace(lora.path), hash: taught.hash, weight: lora.weight },
      },
    };
  });
  return { regions: opened.map(({ region }) => region), recipe: opened.map(({ recipe }) => recipe) };
}
