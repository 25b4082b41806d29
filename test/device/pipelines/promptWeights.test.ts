import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { Tokenizer } from '../../../src-main/engine/models/tokenizer.ts';
import { PromptEncoder } from '../../../src-main/engine/pipelines/encodePrompts.ts';
import { Networks } from '../../../src-main/engine/pipelines/networks.ts';
import { promptChunks } from '../../../src-main/engine/pipelines/promptChunks.ts';
import { TextToImage } from '../../../src-main/engine/pipelines/textToImage.ts';

/** From the web UI's own code: `test/golden/reference/prompt_weights.py`. */
const fixtures = `${import.meta.dirname}/../../golden/fixtures`;
const { tensors, metadata } = readSafetensors(`${fixtures}/pipelines/prompts.safetensors`);
const prompts = JSON.parse(metadata['prompts'] ?? '') as string[];

describe.each(['tiny-sd1', 'tiny-sd2'])('%s', (name) => {
  const model = openModelFolder(`${fixtures}/models/${name}`);
  const networks = new Networks(model);
  afterAll(() => networks.release());

  it("encodes weights, BREAK and long prompts to the web UI's contexts", async () => {
    const encoder = new PromptEncoder(
      networks,
      await Tokenizer.load(`${fixtures}/models/${name}/tokenizer`),
      'a1111',
    );
    for (const [i, prompt] of prompts.entries()) {
      const entry = tensors.get(`${name}.${i}`);
      if (!entry) throw new Error(`no golden for "${prompt}"`);
      const wanted = readF32(entry);
      const { context } = await encoder.encode(prompt, encoder.length(prompt));
      expect(context.shape).toEqual(wanted.shape);
      const most = Math.max(...wanted.data.map(Math.abs));
      const error = Math.max(...context.data.map((value, j) => Math.abs(value - (wanted.data[j] as number))));
      expect(error / most).toBeLessThan(1e-4);
    }
  });

  it('draws short and long prompts, each as if it were alone', async () => {
    const tokenizer = await Tokenizer.load(`${fixtures}/models/${name}/tokenizer`);
    const pipeline = new TextToImage(model, tokenizer);
    const options = { steps: 2, guidance: 5, width: 64, height: 64, promptRules: 'a1111' as const, batch: 4 };
    const requests = ['a (dog:1.3)', 'a cat BREAK in snow', 'a (dog:1.3)'].map((prompt) => ({
      prompt,
      seed: 1,
    }));
    const made: Float32Array[] = [];
    for await (const { latents } of pipeline.generate(requests, options)) made.push(latents.data);
    for await (const { latents } of pipeline.generate([requests[1] as (typeof requests)[0]], options))
      expect([...latents.data]).toEqual([...(made[1] as Float32Array)]);
    expect([...(made[0] as Float32Array)]).toEqual([...(made[2] as Float32Array)]);
    expect(made[0]).not.toEqual(made[1]);
    await pipeline.dispose();
  });
});

/** From compel: `test/golden/reference/compel_prompts.py`. */
const compelCases = z
  .array(
    z.object({
      ...{ prompt: z.string(), compel: z.string() },
      ...{ ids: z.array(z.number()), weights: z.array(z.number()), context: z.array(z.number()).optional() },
    }),
  )
  .parse(JSON.parse(readFileSync(`${fixtures}/pipelines/compel.json`, 'utf8')));

describe("where compel's rules and the web UI's mean the same", () => {
  const folder = `${fixtures}/models/tiny-sd1`;

  it.each(compelCases)('"$prompt" is $compel: the same tokens, each with the same weight', async (wanted) => {
    const [chunk, ...others] = promptChunks(wanted.prompt, await Tokenizer.load(`${folder}/tokenizer`));
    expect(others).toEqual([]);
    expect(chunk?.ids).toEqual(wanted.ids);
    wanted.weights.forEach((weight, i) => expect(chunk?.weights[i]).toBeCloseTo(weight, 5));
  });

  it('prompts without weights have the same context', async () => {
    const networks = new Networks(openModelFolder(folder));
    const encoder = new PromptEncoder(networks, await Tokenizer.load(`${folder}/tokenizer`), 'a1111');
    const plain = compelCases.filter(({ context }) => context !== undefined);
    expect(plain.length).toBeGreaterThan(1);
    for (const { prompt, context = [] } of plain) {
      const { data } = (await encoder.encode(prompt, 1)).context;
      context.forEach((value, i) => expect(data[i]).toBeCloseTo(value, 4));
    }
    await networks.release();
  });
});
