/** A piece of a prompt and its weight; 1 is as written. */
export interface WeightedText {
  readonly text: string;
  readonly weight: number;
}

/** What begins a new chunk of tokens. */
export const breakMark = 'break';

const round = 1.1;
const square = 1 / 1.1;
const pieces = /\\[()[\]\\]|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()[\]:]+|:/g;
const breaks = /\s*\bBREAK\b\s*/;

/**
 * Takes a prompt apart by the rules of AUTOMATIC1111's web UI (`parse_prompt_attention`): `(text)` counts 1.1 times, `[text]`
 * 1/1.1 times, `(text:1.3)` 1.3 times, nested ones multiply, a bracket that is not closed reaches to the end, `\(` is a bracket to
 * be read, and `BREAK` begins a new chunk. Neighbours of equal weight are one text.
 */
export function parseWeights(prompt: string): (WeightedText | typeof breakMark)[] {
  const parts: { text: string; weight: number; isBreak: boolean }[] = [];
  const open: Record<'(' | '[', number[]> = { '(': [], '[': [] };
  const weigh = (from: number | undefined, by: number): void => {
    for (const part of from === undefined ? [] : parts.slice(from)) part.weight *= by;
  };
  const add = (text: string, isBreak = false): void => void parts.push({ text, weight: 1, isBreak });
  for (const [piece, weight] of prompt.matchAll(pieces)) {
    if (piece.startsWith('\\')) add(piece.slice(1));
    else if (piece === '(' || piece === '[') open[piece].push(parts.length);
    else if (weight !== undefined && open['('].length > 0) weigh(open['('].pop(), asNumber(weight));
    else if (piece === ')' && open['('].length > 0) weigh(open['('].pop(), round);
    else if (piece === ']' && open['['].length > 0) weigh(open['['].pop(), square);
    else
      piece.split(breaks).forEach((text, i) => {
        if (i > 0) add('', true);
        add(text);
      });
  }
  for (const from of open['(']) weigh(from, round);
  for (const from of open['[']) weigh(from, square);
  const merged: (WeightedText | typeof breakMark)[] = [];
  for (const { text, weight, isBreak } of parts) {
    const last = merged.at(-1);
    if (isBreak) merged.push(breakMark);
    else if (last !== undefined && last !== breakMark && last.weight === weight)
      merged[merged.length - 1] = { text: last.text + text, weight };
    else merged.push({ text, weight });
  }
  return merged.length > 0 ? merged : [{ text: '', weight: 1 }];
}

/** "1.2.3" is no number; it counts as written. */
function asNumber(text: string): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : 1;
}
