import { problem } from '../../../src-shared/messages/index.ts';
import { mergePairs, mergeRanks, type MergeRanks } from './tokenizerBpe.ts';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizerFiles.ts';
import { normalizeText, splitWords, toByteCharacters, tokensToText } from './tokenizerText.ts';

export interface EncodedPrompt {
  /** `maxLength` ids: start, text, end, padding; for two text encoders the same again with the second's padding. */
  readonly ids: number[];
  /** What did not fit, as text for people. */
  readonly truncated: string | undefined;
}

/** CLIP's tokenizer with the results of transformers' `CLIPTokenizer(prompt, padding='max_length', truncation=True)`. */
export class Tokenizer {
  readonly maxLength: number;
  private readonly ranks: MergeRanks;
  private readonly raw: AddedTokens;
  private readonly normalized: AddedTokens;

  constructor(
    private readonly files: TokenizerFiles,
    /** Tokens that stand for several. */
    private readonly expansions: ReadonlyMap<string, readonly string[]> = new Map(),
    /** What the second text encoder's prompts are filled up with, where there is one. */
    private readonly secondPad?: string,
  ) {
    this.maxLength = files.maxLength;
    this.ranks = mergeRanks(files.merges);
    const added = (normalized: boolean) => files.added.filter((token) => token.normalized === normalized);
    this.raw = new AddedTokens(added(false).map(({ content }) => [content, content]));
    this.normalized = new AddedTokens(added(true).map(({ content }) => [normalizeText(content), content]));
  }

  /** Reads a `tokenizer` folder: `tokenizer.json`, or `vocab.json` and `merges.txt`. */
  static async load(...[folder, read]: Parameters<typeof readTokenizerFiles>): Promise<Tokenizer> {
    const files = await readTokenizerFiles(folder, read);
    const missing = files.merges.find(([left, right]) => !files.ids.has(left + right));
    if (missing) {
      throw problem('tokenizer.invalid', {
        file: folder,
        why: `"${missing.join('')}" is merged but not in the vocabulary`,
      });
    }
    return new Tokenizer(files);
  }

  /**
   * The same tokenizer with words of `counts` vectors each, whose ids begin at `firstId`. One of several vectors is the tokens
   * `word`, `word_1`, `word_2` …, all of which its word stands for, as in diffusers' `maybe_convert_prompt`.
   * Errors: `embedding.taken` for a token that is there.
   */
  withWords(counts: ReadonlyMap<string, number>, firstId: number): Tokenizer {
    const ids = new Map(this.files.ids);
    const added = [...this.files.added];
    const expansions = new Map<string, readonly string[]>();
    let id = firstId;
    for (const [word, count] of counts) {
      const tokens = Array.from({ length: count }, (_, i) => (i === 0 ? word : `${word}_${i}`));
      for (const token of tokens) {
        if (token === '' || ids.has(token)) throw problem('embedding.taken', { word: token });
        ids.set(token, id++);
        added.push({ content: token, normalized: true });
      }
      expansions.set(word, tokens);
    }
    return new Tokenizer({ ...this.files, ids, added }, expansions, this.secondPad);
  }

  /** For a model with a second text encoder, whose tokenizer may differ only in its padding. Errors: `tokenizer.invalid`. */
  withSecond({ files }: Tokenizer, folder: string): Tokenizer {
    const { ids, maxLength } = this.files;
    const same =
      files.maxLength === maxLength && [...ids].every(([token, id]) => files.ids.get(token) === id);
    if (!same || files.ids.size !== ids.size)
      throw problem('tokenizer.invalid', {
        file: folder,
        why: "its vocabulary is not that of the model's first tokenizer",
      });
    return new Tokenizer(this.files, this.expansions, files.pad);
  }

  encode(text: string): EncodedPrompt {
    const tokens = this.tokenize(text);
    const kept = tokens.slice(0, this.maxLength - 2);
    const cut = tokens.slice(kept.length);
    return {
      ids: this.framed(kept.map((token) => this.id(token))),
      truncated: cut.length ? tokensToText(cut) : undefined,
    };
  }

  /** The ids of a text of any length, without start and end. */
  textIds(text: string): number[] {
    return this.tokenize(text).map((token) => this.id(token));
  }

  /** `maxLength` ids: start, these, end, padding; for a second text encoder the same again with its padding. */
  framed(ids: readonly number[]): number[] {
    const { bos, eos, pad } = this.files;
    const framed = [this.id(bos), ...ids, this.id(eos)];
    const filled = (pad: string): number[] => [
      ...framed,
      ...Array.from({ length: this.maxLength - framed.length }, () => this.id(pad)),
    ];
    return this.secondPad === undefined ? filled(pad) : [...filled(pad), ...filled(this.secondPad)];
  }

  /** All that ids depend on, in one text: two tokenizers with the same one read every prompt alike. */
  get content(): string {
    const { ids, ...others } = this.files;
    const inOrder = [...ids].sort(([, a], [, b]) => a - b);
    return JSON.stringify([inOrder, others, [...this.expansions], this.secondPad]);
  }

  /** The id of a comma that stands alone. */
  get comma(): number | undefined {
    return this.files.ids.get(',</w>');
  }

  /** The text's tokens, without start and end; `unk` stands for bytes the vocabulary does not have. */
  tokenize(text: string): string[] {
    const tokens = this.raw.split(text, (piece) =>
      this.normalized.split(normalizeText(piece), (part) =>
        splitWords(part).flatMap((word) => this.encodeWord(word)),
      ),
    );
    return tokens.flatMap((token) => this.expansions.get(token) ?? [token]);
  }

  private encodeWord(word: string): string[] {
    const symbols = toByteCharacters(word);
    symbols[symbols.length - 1] += '</w>';
    const known = symbols.map((symbol) => (this.files.ids.has(symbol) ? symbol : this.files.unk));
    return mergePairs(known, this.ranks);
  }

  private id(token: string): number {
    return this.files.ids.get(token) as number;
  }
}

/** Tokens that are looked for in the text before it is split. */
class AddedTokens {
  private readonly contents: ReadonlyMap<string, string>;
  private readonly pattern: RegExp | undefined;

  constructor(entries: readonly (readonly [asWritten: string, content: string])[]) {
    this.contents = new Map(entries);
    // The longest first: of several that begin at one place, it is the match.
    const escaped = [...this.contents.keys()]
      .filter((text) => text !== '')
      .sort((a, b) => b.length - a.length)
      .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    this.pattern = escaped.length ? new RegExp(`(${escaped.join('|')})`, 'u') : undefined;
  }

  /** The tokens found, and between them what `rest` makes of the text there. */
  split(text: string, rest: (text: string) => string[]): string[] {
    // Splitting by a captured group alternates between what lies between matches and the matches.
    const parts = this.pattern ? text.split(this.pattern) : [text];
    return parts.flatMap((part, i) => (i % 2 ? [this.contents.get(part) as string] : rest(part)));
  }
}
