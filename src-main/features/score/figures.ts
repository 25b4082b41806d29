import type { Estimate, Figures, Reach } from '../../../src-shared/domain/runScore.ts';
import type { Features } from '../../engine/evaluation/features.ts';
import { reach } from '../../engine/evaluation/pick.ts';
import {
  classLeak,
  photoFidelity,
  promptFidelity,
  promptFidelityByChance,
  subjectFidelity,
  variety,
} from '../../engine/evaluation/subjectScores.ts';
import type { Picture } from '../../engine/pipelines/pixels.ts';
import type { Scorers } from './openScorers.ts';

type Vectors = readonly Float32Array[];

/** A model's pictures: of the subject in every prompt [prompt·seed], and of the class without the token. */
export interface Shown {
  readonly scenes: Vectors;
  readonly ofClass: Vectors;
}

/** What one scorer compares with. */
interface Measure {
  readonly features: Features;
  readonly photos: Vectors;
  readonly prompts: Vectors | undefined;
  readonly base: Shown;
}

/** All scorers with the photos, the prompts and the base model's pictures before their eyes. */
export class Measures {
  private constructor(
    private readonly measures: readonly Measure[],
    private readonly scorers: Scorers,
    private readonly scenes: number,
    private readonly seeds: number,
  ) {}

  /** `base`: its pictures, first the scenes [prompt·seed], then those of the class. */
  static async create(
    scorers: Scorers,
    given: {
      readonly photos: readonly Picture[];
      readonly prompts: readonly string[];
      readonly base: readonly Picture[];
      readonly seeds: number;
    },
  ): Promise<Measures> {
    const { photos, prompts, base, seeds } = given;
    const measures: Measure[] = [];
    for (const features of scorers.all)
      measures.push({
        features,
        photos: await features.pictures(photos),
        prompts: await features.prompts?.(prompts),
        base: shown(await features.pictures(base), prompts.length * seeds),
      });
    return new Measures(measures, scorers, prompts.length * seeds, seeds);
  }

  /** The name of the figure that fidelity is, and that of editability: variety where no scorer reads. */
  get names(): { readonly fidelity: string; readonly editability: string } {
    const { subject, prompt } = this.scorers;
    return {
      fidelity: `subject (${subject.name})`,
      editability: prompt ? `prompt (${prompt.name})` : `variety (${subject.name})`,
    };
  }

  get ofPhotos(): Figures {
    return Object.fromEntries(
      this.measures.map(({ features, photos }) => [`subject (${features.name})`, photoFidelity(photos)]),
    );
  }

  get ofBase(): Figures {
    return this.figures(this.measures.map(({ base }) => base));
  }

  async of(pictures: readonly Picture[]): Promise<Figures> {
    const all: Shown[] = [];
    for (const { features } of this.measures) all.push(shown(await features.pictures(pictures), this.scenes));
    return this.figures(all, true);
  }

  reachOf(figures: Figures): Reach {
    const { fidelity, editability } = this.names;
    const valueOf = (from: Figures, name: string): number => from[name]?.value ?? NaN;
    const { ofBase } = this;
    return reach(
      {
        value: valueOf(figures, fidelity),
        none: valueOf(ofBase, fidelity),
        all: valueOf(this.ofPhotos, fidelity),
      },
      {
        value: valueOf(figures, editability),
        none: this.editabilityByChance(),
        all: valueOf(ofBase, editability),
      },
    );
  }

  private editabilityByChance(): number {
    const reader = this.measures.find(({ features }) => features.name === this.scorers.prompt?.name);
    return reader?.prompts ? promptFidelityByChance(reader.base.scenes, reader.prompts, this.seeds) : 0;
  }

  private figures(all: readonly Shown[], compareClass = false): Figures {
    const { seeds } = this;
    const figures: Record<string, Estimate | null> = {};
    for (const [i, { features, photos, prompts, base }] of this.measures.entries()) {
      const { scenes, ofClass } = all[i] as Shown;
      figures[`subject (${features.name})`] = subjectFidelity(scenes, photos, seeds);
      if (prompts) figures[`prompt (${features.name})`] = promptFidelity(scenes, prompts, seeds);
      figures[`variety (${features.name})`] = variety(scenes, seeds);
      if (compareClass) figures[`class leak (${features.name})`] = classLeak(ofClass, base.ofClass, photos);
    }
    return this.scorers.prompt ? figures : { ...figures, prompt: null };
  }
}

function shown(vectors: Vectors, scenes: number): Shown {
  return { scenes: vectors.slice(0, scenes), ofClass: vectors.slice(scenes) };
}
