/**
 * Text → the words CLIP's byte-pair encoding works on, as `CLIPTokenizer` of transformers 5 does it: NFC, lower case by
 * code point (no final sigma), then the splitting expressions of CLIP and of GPT-2's byte level, one after the other.
 */

// The reference's character tables are Unicode 16; what Unicode 17 made a letter or number is a symbol to it.
const newLetters =
  '\\u{88f}\\u{c5c}\\u{cdc}\\u{a7ce}\\u{a7cf}\\u{a7d2}\\u{a7d4}\\u{a7f1}\\u{10940}-\\u{10959}\\u{10ec5}-\\u{10ec7}' +
  '\\u{11db0}-\\u{11ddb}\\u{16ea0}-\\u{16eb8}\\u{16ebb}-\\u{16ed3}\\u{16ff2}\\u{16ff3}\\u{187f8}-\\u{187ff}' +
  '\\u{18d09}-\\u{18d1e}\\u{18d80}-\\u{18df2}\\u{1e6c0}-\\u{1e6de}\\u{1e6e0}-\\u{1e6e2}\\u{1e6e4}\\u{1e6e5}' +
  '\\u{1e6e7}-\\u{1e6ed}\\u{1e6f0}-\\u{1e6f4}\\u{1e6fe}\\u{1e6ff}\\u{2b73a}-\\u{2b73f}\\u{2cea2}-\\u{2cead}' +
  '\\u{323b0}-\\u{33479}';
const newNumbers = '\\u{11de0}-\\u{11de9}\\u{16ff4}-\\u{16ff6}';

const letter = `(?:(?![${newLetters}])\\p{L})`;
const number = `(?:(?![${newNumbers}])\\p{N})`;
// White space is Unicode's property; JavaScript's own \s counts U+FEFF and forgets U+0085.
const symbol = `(?:[^\\p{White_Space}\\p{L}\\p{N}]|[${newLetters}${newNumbers}])`;
const contractions = "'s|'t|'re|'ve|'m|'ll|'d";

const clipWord = new RegExp(
  `<\\|startoftext\\|>|<\\|endoftext\\|>|${contractions}|${letter}+|${number}|${symbol}+`,
  'gu',
);
const byteLevelWord = new RegExp(`${contractions}|${letter}+|${number}+|${symbol}+`, 'gu');

export function normalizeText(text: string): string {
  return Array.from(text.normalize('NFC'), (character) => character.toLowerCase()).join('');
}

/** The words of normalized text, in order; white space is gone. */
export function splitWords(text: string): string[] {
  return (text.match(clipWord) ?? []).flatMap((word) => word.match(byteLevelWord) ?? []);
}

const printable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** GPT-2's printable stand-in for each byte, in byte order. */
export const byteCharacters: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (printable(byte)) return String.fromCharCode(byte);
  const rank = Array.from({ length: byte }, (_, before) => before).filter(
    (before) => !printable(before),
  ).length;
  return String.fromCharCode(256 + rank);
});

/** The bytes in the order CLIP's vocabulary lists them: printable ones first. */
export const vocabularyBytes: readonly number[] = [true, false].flatMap((kind) =>
  Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => printable(byte) === kind),
);

const bytesOf = new Map(byteCharacters.map((character, byte) => [character, byte]));
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What Python's strip takes off. */
const outerSpace = /^[\p{White_Space}\x1c-\x1f]+|[\p{White_Space}\x1c-\x1f]+$/gu;

/** A word's UTF-8 bytes as stand-in characters. */
export function toByteCharacters(word: string): string[] {
  return Array.from(encoder.encode(word), (byte) => byteCharacters[byte] as string);
}

/** Tokens back to text for people. */
export function tokensToText(tokens: readonly string[]): string {
  const bytes = Array.from(tokens.join('')).flatMap((character) => {
    const byte = bytesOf.get(character);
    return byte === undefined ? Array.from(encoder.encode(character)) : [byte];
  });
  return decoder.decode(Uint8Array.from(bytes)).replaceAll('</w>', ' ').replace(outerSpace, '');
}
