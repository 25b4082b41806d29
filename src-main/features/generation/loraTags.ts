import path from 'node:path';
import { isFile, isFolder } from '../../engine/checkpoints/files.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { GenerateRequest, LoraChoice, NamedLoras } from './request.ts';

const tag = /\s*<lora:([^<>]*)>/g;
const endings = ['', '.safetensors', '.pt', '.bin', '.ckpt'];

/** A prompt without its `<lora:NAME:WEIGHT>` (1 where no weight is given), and those. Errors: `lora.tag`, `lora.noSuchName`. */
export function takeLoraTags(prompt: string, named: NamedLoras): { prompt: string; loras: LoraChoice[] } {
  const loras = [...prompt.matchAll(tag)].map(([whole, content = '']): LoraChoice => {
    const [, name = content, said = '1'] = /^(.*?):([^:]*)$/s.exec(content) ?? [];
    const weight = Number(said);
    if (name.trim() === '' || said.trim() === '' || !Number.isFinite(weight))
      throw problem('lora.tag', { tag: whole.trim() });
    return { path: find(name.trim(), named), weight };
  });
  return { prompt: loras.length > 0 ? prompt.replace(tag, '').trim() : prompt, loras };
}

/** A request's own LoRAs and those that its prompts name. Errors: those of `takeLoraTags`. */
export function allLoras({ loras, prompts, promptRules, named }: GenerateRequest): LoraChoice[] {
  if (promptRules !== 'a1111' || !named) return [...loras];
  return [...loras, ...prompts.flatMap((prompt) => takeLoraTags(prompt, named).loras)];
}

function find(name: string, { folders, others }: NamedLoras): string {
  const other = others.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (other) return other.path;
  const places = folders.flatMap((folder) => endings.map((ending) => path.resolve(folder, name + ending)));
  // A name is not a path: it may not lead out of the folders.
  const inside = /[\\/]/.test(name) ? undefined : places.find((place) => isFolder(place) || isFile(place));
  if (inside === undefined)
    throw problem('lora.noSuchName', { name, folders: folders.join(', ') || 'the library' });
  return inside;
}

/**
 * The request with the LoRAs that its prompts name: one request for each stretch of prompts that name the same. Errors: those of
 * `takeLoraTags`, `lora.tagsDiffer`.
 */
export function splitByLoraTags<R extends GenerateRequest & { readonly seed: number }>(request: R): R[] {
  const { prompts, promptRules, named, names, count, seed } = request;
  if (promptRules !== 'a1111' || !named) return [request];
  const tagged = prompts.map((prompt) => takeLoraTags(prompt, named));
  const stretches: { first: number; loras: LoraChoice[]; prompts: string[] }[] = [];
  for (const [first, { prompt, loras }] of tagged.entries()) {
    const last = stretches.at(-1);
    if (last && JSON.stringify(last.loras) === JSON.stringify(loras)) last.prompts.push(prompt);
    else stretches.push({ first, loras, prompts: [prompt] });
  }
  if (stretches.length > 1 && (request.latents !== undefined || request.saveLatents !== undefined))
    throw problem('lora.tagsDiffer', {
      option: request.latents === undefined ? '--save-latents' : '--latents',
    });
  return stretches.map(({ first, loras, prompts }) => ({
    ...{ ...request, prompts, loras: [...request.loras, ...loras] },
    ...(names && {
      names: names.slice(first, first + prompts.length),
      seed: seed + first * count,
    }),
  }));
}
