import type { PromptRules } from '../../../src-shared/domain/promptRules.ts';

interface Syntax {
  readonly pattern: RegExp;
  /** The rules by which it is read here; without them it is words. */
  readonly readBy?: PromptRules;
}

/** What prompts of other tools hold beside words, as their own pages describe it. */
const syntaxes: readonly Syntax[] = [
  // AUTOMATIC1111's web UI: LoRAs, weights, prompts that change on the way, alternation, composition.
  { pattern: /<lora:[^<>]*>/gi, readBy: 'a1111' },
  { pattern: /<(?:lyco|hypernet):[^<>]*>/gi },
  { pattern: /\([^()]*:\s*[+-]?\d*\.?\d+\s*\)/g, readBy: 'a1111' },
  { pattern: /\(\([^()]*\)\)/g, readBy: 'a1111' },
  { pattern: /\bBREAK\b/g, readBy: 'a1111' },
  { pattern: /\[[^[\]:]*:[^[\]:]*:\s*\d*\.?\d+\s*\]/g },
  { pattern: /\[[^[\]|]*\|[^[\]]*\]/g },
  { pattern: /(?<=\S\s+)\bAND\b(?=\s+\S)/g },
  // Dynamic prompts and wildcards.
  { pattern: /\{[^{}|]+(?:\|[^{}|]*)+\}/g },
  { pattern: /__[\w*/-]+?__/g },
  // ComfyUI's embeddings.
  { pattern: /\bembedding:[\w./-]+/gi },
  // kohya's files of sample prompts: what a line leaves to a comment, and its options; Midjourney's options.
  { pattern: /^#\s.*/g },
  { pattern: /(?<=\s)--(?:n|w|h|d|l|s|ar|no|v|seed|style|stylize|chaos|q)\s+\S+/g },
  // compel's weights, as InvokeAI has them.
  { pattern: /[\w)](?:\+{2,}|-{2,})(?=[\s,.)]|$)|\)[+-]?\d+\.\d+/g },
];

const most = 5;

/** A sentence about what a tool that the prompts were written for would read, and that is words here; nothing where there is none. */
export function foreignSyntax(prompts: readonly string[], rules: PromptRules): string | undefined {
  const found = new Set<string>();
  let readable = false;
  for (const { pattern, readBy } of syntaxes)
    for (const prompt of prompts) {
      if (readBy === rules) continue;
      for (const [piece] of prompt.matchAll(pattern)) {
        found.add(piece.length > 40 ? `${piece.slice(0, 40)}…` : piece);
        readable ||= readBy !== undefined;
      }
    }
  if (found.size === 0) return undefined;
  const shown = [...found].slice(0, most).map((piece) => `"${piece}"`);
  const more = found.size > most ? ` and ${found.size - most} more` : '';
  const how = readable
    ? ' Prompts are read as they are written; weights and LoRAs in them count when they are read as the web UI reads them.'
    : '';
  return `${shown.join(', ')}${more}: the syntax of another tool, taken as words here.${how}`;
}
