import type { NewWords } from '../../checkpoints/embedding.ts';
import type { Model } from '../../checkpoints/model.ts';
import { expectTensor, readF32 } from '../../checkpoints/weights.ts';
import { input } from '../../graph/build.ts';
import type { LearntWords } from '../../models/clip.ts';
import type { HostTensor } from '../../tensor/tensor.ts';
import type { DiffusionBatch } from '../data/batch.ts';
import { learntWords, vectorsOf } from '../data/learntWords.ts';

/** The words of a textual inversion: each subject's token with as many vectors. */
export interface TrainedWords {
  /** The name of the vectors [n, width] among the trained parameters. */
  readonly parameter: string;
  readonly counts: ReadonlyMap<string, number>;
  /** All vectors. */
  readonly count: number;
  /** The id of the first one; the model's own are below it. */
  readonly firstId: number;
}

export type WordSettings = Parameters<typeof learntWords>[0] & {
  /** The tokens of the word that each subject's starts from; left out by workers, which are sent all values. */
  readonly startIds?: readonly (readonly number[])[] | undefined;
};

/**
 * What a textual inversion trains, and where it starts: every vector of a word at the mean of the start's tokens (diffusers'
 * `textual_inversion.py` asks for one token).
 */
export function wordsToTrain(
  { textEncoder }: Pick<Model, 'textEncoder'>,
  settings: WordSettings,
): { readonly words: TrainedWords; readonly initial: HostTensor<'f32'> } {
  const { vocab_size: firstId, hidden_size: width } = textEncoder.config;
  const counts = learntWords(settings);
  const count = vectorsOf(counts);
  const { startIds = [] } = settings;
  const { vectors } = settings.embedding;
  const data = new Float32Array(count * width);
  if (startIds.length > 0) {
    const name = 'text_model.embeddings.token_embedding.weight';
    const table = readF32(expectTensor(textEncoder.weights, name, [firstId, width])).data;
    for (const [word, ids] of startIds.entries())
      for (let row = word * vectors; row < (word + 1) * vectors; row++)
        for (let i = 0; i < width; i++)
          data[row * width + i] = ids.reduce((sum, id) => sum + (table[id * width + i] ?? 0), 0) / ids.length;
  }
  return {
    words: {
      parameter: 'text_encoder.text_model.embeddings.learnt_words.weight',
      ...{ counts, count, firstId },
    },
    initial: { dtype: 'f32', shape: [count, width], data },
  };
}

/** The words as they are now, to draw with. */
export function presentWords(
  { parameter, counts, firstId }: TrainedWords,
  value: (name: string) => HostTensor<'f32'>,
): NewWords {
  const { shape, data } = value(parameter);
  return { counts, firstId, vectors: { dtype: 'f32', shape, data: data.slice() } };
}

/** The inputs of a batch's graph that tell where the words stand: [b,t]. */
export function wordInputs(
  { count }: Pick<TrainedWords, 'count'>,
  [rows, length]: readonly [number, number],
): LearntWords {
  return {
    count,
    which: input('learnt_words', [rows, length, count]),
    none: input('known_words', [rows, length, 1]),
  };
}

/** Splits token ids into the model's own (0 where a new word stands) and what `wordInputs` takes. */
export function wordFeeds(
  { count, firstId }: Pick<TrainedWords, 'count' | 'firstId'>,
  { shape, data }: DiffusionBatch['inputIds'],
): Record<'input_ids' | 'learnt_words' | 'known_words', HostTensor> {
  const places = data.length;
  const which = new Float32Array(places * count);
  const none = new Float32Array(places).fill(1);
  const own = data.map((id, place) => {
    const word = Number(id) - firstId;
    if (word < 0) return id;
    which[place * count + word] = 1;
    none[place] = 0;
    return 0n;
  });
  return {
    input_ids: { dtype: 'i64', shape, data: own },
    learnt_words: { dtype: 'f32', shape: [...shape, count], data: which },
    known_words: { dtype: 'f32', shape: [...shape, 1], data: none },
  };
}
