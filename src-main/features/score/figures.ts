import type { Estimate, Figures, Reach } from '../../../src-shared/domain/runScore.ts';
import { cellsOf, mean } from '../../engine/evaluation/confidence.ts';
import type { Features } from '../../engine/evaluation/features.ts';
import { reach } from '../../engine/evaluation/pick.ts';
import {
  classLeak,
  likenessToPhotos,
  likenessToPrompts,
  meanDistance,
  photoFidelity,
  promptFidelity,
  promptFidelityByChance,
  subjectFidelity,
  variety,
} from '../../engine/evaluation/subjectScores.ts';
import type { Picture } from '../../engine/pictures/pixels.ts';
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

/** The reach of pictures, some of which are copies: of the `chosen` ones, or of all in scenes. Numbers are indices of pictures. */
export type ReachOf = (copies: ReadonlySet<number>, chosen?: readonly number[]) => Reach;

/** All scorers, with what they compare with: the photos, the prompts and the base model's pictures. */
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

  /** The names of the figures that fidelity and editability are measured by; variety where no scorer reads text. */
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

  /** Indices of the pictures in scenes, by prompt and seed. */
  get cells(): number[][] {
    return cellsOf([...Array(this.scenes).keys()], this.seeds);
  }

  /** What the scorer of likeness sees in the photos. */
  get photos(): Vectors {
    return this.ofSubject(this.measures).photos;
  }

  /** What it sees in the base model's pictures in scenes. */
  get baseScenes(): Vectors {
    return this.ofSubject(this.measures).base.scenes;
  }

  /** `scenes`: what the scorer of likeness sees in the pictures in scenes. */
  async of(
    pictures: readonly Picture[],
  ): Promise<{ readonly figures: Figures; readonly reach: ReachOf; readonly scenes: Vectors }> {
    const all: Shown[] = [];
    for (const { features } of this.measures) all.push(shown(await features.pictures(pictures), this.scenes));
    const { scenes } = this.ofSubject(all);
    return { figures: this.figures(all, true), reach: this.reachOf(all), scenes };
  }

  /** Of what there is for each scorer, that of the scorer of likeness. */
  private ofSubject<T>(all: readonly T[]): T {
    const { name } = this.scorers.subject;
    return all[this.measures.findIndex(({ features }) => features.name === name)] as T;
  }

  private reachOf(all: readonly Shown[]): ReachOf {
    const { seeds } = this;
    const sceneryOf = ({ name }: { readonly name: string }) => {
      const i = this.measures.findIndex(({ features }) => features.name === name);
      const measure = this.measures[i] as Measure;
      return { ...measure, drawn: (all[i] as Shown).scenes, plain: measure.base.scenes };
    };
    const seen = sceneryOf(this.scorers.subject);
    const [like, likeBase] = [seen.drawn, seen.plain].map((scenes) => likenessToPhotos(scenes, seen.photos));
    const alike = photoFidelity(seen.photos).value;
    const read = this.scorers.prompt && sceneryOf(this.scorers.prompt);
    const prompts = read?.prompts;
    const [told, toldBase] = prompts
      ? [read.drawn, read.plain].map((scenes) => likenessToPrompts(scenes, prompts, seeds))
      : [];
    const byChance = prompts ? promptFidelityByChance(read.plain, prompts, seeds) : 0;
    return (copies, chosen = [...seen.drawn.keys()]) => {
      const of = (values: readonly number[] = []): number => mean(chosen.map((i) => values[i] ?? NaN));
      return reach(
        { value: of(like), none: of(likeBase), all: alike },
        told
          ? { value: of(told), none: byChance, all: of(toldBase) }
          : { value: meanDistance(seen.drawn, chosen), none: 0, all: meanDistance(seen.plain, chosen) },
        chosen.filter((i) => copies.has(i)).length / chosen.length,
      );
    };
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
