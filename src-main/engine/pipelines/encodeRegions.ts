import type { Box } from '../../../src-shared/domain/box.ts';
import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';
import type { Model } from '../checkpoints/model.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import { guidanceTensor, type Conditions } from './denoise.ts';
import { PromptEncoder } from './encodePrompts.ts';
import { Networks, type NetworkOptions } from './networks.ts';
import type { Region } from './regions.ts';
import type { Size } from './sizes.ts';

/** A box, the network that draws it, and what each picture is drawn from there, by its negative prompt. */
export interface EncodedRegion {
  readonly box: Box;
  readonly networks: Networks;
  readonly conditionsFor: (negative: string) => Conditions;
}

/** The model that boxes are drawn with, before any of them teaches it. */
interface Untaught {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly options: NetworkOptions;
  readonly networks: Networks;
  /** With clip skip, the model with all its layers, which reads negative prompts. */
  readonly unskipped?: Model | undefined;
}

interface RegionOptions extends Size {
  readonly regions?: readonly Region[] | undefined;
  readonly guidance: number;
  readonly baseGuidance?: number | undefined;
  readonly guidanceStop?: number | undefined;
  readonly promptRules?: PromptRules | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What each box is drawn from, in pictures with these negative prompts. */
export async function encodeRegions(
  { model, tokenizer, options, networks: base, unskipped }: Untaught,
  said: RegionOptions,
  negatives: readonly string[],
): Promise<EncodedRegion[]> {
  const { regions = [], guidance, baseGuidance = 0, guidanceStop = 1, promptRules = 'none' } = said;
  const distilled = guidanceTensor(model.unet.config, guidance, 1);
  const withBase = !distilled && baseGuidance > 0;
  const plain = !distilled && !withBase && guidance > 1;
  const whole = promptRules === 'none' ? unskipped : undefined;
  const readers: Networks[] = [];
  const ofNegatives = (taught: NetworkOptions): PromptEncoder | undefined => {
    if (!whole) return undefined;
    const reader = new Networks(whole, { ...options, ...taught });
    readers.push(reader);
    return new PromptEncoder(reader, tokenizer, promptRules, undefined, said);
  };
  const ofBase = new PromptEncoder(base, tokenizer, promptRules, undefined, said, ofNegatives({}));
  const encoded: EncodedRegion[] = [];
  for (const { box, prompt, networks: taught } of regions) {
    const networks = new Networks(model, { ...options, ...taught });
    const own = new PromptEncoder(
      ...([networks, tokenizer, promptRules, said.onWarning, said, ofNegatives(taught)] as const),
    );
    const length = Math.max(
      ...[prompt, ...(plain || withBase ? negatives : [])].map((text) => own.length(text)),
    );
    const found = new Map<string, Conditions>();
    for (const negative of new Set(negatives))
      found.set(negative, {
        prompt: await own.encode(prompt, length),
        ...(plain && { negative: await own.encodeNegative(negative, length) }),
        ...{ guidance, stop: guidanceStop },
        ...(distilled && { distilled }),
        ...(withBase && {
          base: {
            networks: base,
            prompt: await ofBase.encode(prompt, length),
            negative: await ofBase.encodeNegative(negative, length),
            guidance: baseGuidance,
          },
        }),
      });
    await networks.release('text');
    const conditionsFor = (negative: string): Conditions => {
      const conditions = found.get(negative);
      if (!conditions) throw new Error('a negative prompt that was not encoded');
      return conditions;
    };
    encoded.push({ box, networks, conditionsFor });
  }
  for (const reader of readers) await reader.release('text');
  return encoded;
}
