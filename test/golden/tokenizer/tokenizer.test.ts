import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src-main/engine/models/tokenizer.ts';

const fixtures = fileURLToPath(new URL('../fixtures/tokenizer/', import.meta.url));
const golden = JSON.parse(readFileSync(`${fixtures}prompts.json`, 'utf8')) as {
  texts: string[];
  folders: Record<string, { pad: number; prompts: [ids: number[], cut?: string][] }>;
};

describe("transformers' CLIPTokenizer", () => {
  it.each(Object.keys(golden.folders))(
    'gives the same ids and cuts the same text off: %s',
    async (folder) => {
      const tokenizer = await Tokenizer.load(`${fixtures}${folder}`);
      const { pad, prompts } = golden.folders[folder] ?? { pad: -1, prompts: [] };
      expect(prompts.length).toBe(golden.texts.length);
      prompts.forEach(([ids, cut], i) => {
        const text = golden.texts[i] as string;
        const padding = Array.from({ length: 77 - ids.length }, () => pad);
        expect(tokenizer.encode(text), JSON.stringify(text)).toEqual({
          ids: [...ids, ...padding],
          truncated: cut,
        });
      });
    },
  );
});
