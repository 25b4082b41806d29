import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { splitByLoraTags, takeLoraTags } from '../../../src-main/features/generation/loraTags.ts';
import { generateDefaults } from '../../../src-main/features/generation/request.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'likeness tags '));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(path.join(folder, 'rex'));
writeFileSync(path.join(folder, 'style v1.2.safetensors'), '');
const named = { folders: [folder], others: [{ name: 'Mia', path: '/runs/mia' }] };
const rex = path.join(folder, 'rex');

it('finds runs, files without their endings, and others by name', () => {
  const { prompt, loras } = takeLoraTags(
    'a dog <lora:rex:0.8>, <lora:style v1.2> on <lora:mia:-1> grass',
    named,
  );
  expect(prompt).toBe('a dog, on grass');
  expect(loras).toEqual([
    { path: rex, weight: 0.8 },
    { path: path.join(folder, 'style v1.2.safetensors'), weight: 1 },
    { path: '/runs/mia', weight: -1 },
  ]);
});

it.each(['<lora:nobody:1>', '<lora:../rex:1>', '<lora:rex:much>', '<lora:rex:>', '<lora:>'])(
  'says what is wrong with %s',
  (tag) => {
    expect(() => takeLoraTags(tag, named)).toThrow(/lora|LoRA/);
  },
);

it('draws prompts that name other LoRAs apart, a set with the seeds it had', () => {
  const request = {
    ...{ ...generateDefaults, model: 'm', out: 'o', count: 2, seed: 7 },
    ...{ prompts: ['a <lora:rex>', 'b <lora:rex>', 'c'], names: ['1', '2', '3'] },
  };
  expect(splitByLoraTags({ ...request, named })).toEqual([{ ...request, named }]);
  const parts = splitByLoraTags({ ...request, named, promptRules: 'a1111' as const });
  expect(parts.map(({ prompts, names, seed, loras }) => ({ prompts, names, seed, loras }))).toEqual([
    { prompts: ['a', 'b'], names: ['1', '2'], seed: 7, loras: [{ path: rex, weight: 1 }] },
    { prompts: ['c'], names: ['3'], seed: 11, loras: [] },
  ]);
  const noise = { ...request, named, promptRules: 'a1111' as const, latents: 'file' };
  expect(() => splitByLoraTags(noise)).toThrow('--latents');
});
