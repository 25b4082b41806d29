import { Weights } from './weights.ts';
import { parseJson } from './files.ts';
import type { ModelPart } from './model.ts';
import type { Shapes } from './singleFileConfig.ts';
import { renamed, type RawTensors } from './weightFiles.ts';

/** The tensors under a prefix, without it. */
export function part(raw: RawTensors, prefix: string): RawTensors {
  return renamed(raw, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined));
}

/** One network: its config, saved or inferred, tells which tensors it has; `named` finds them under diffusers' names. */
export function openPart<Config>(
  file: string,
  configText: string,
  parse: (raw: unknown, file: string) => Config,
  named: (config: Config) => RawTensors,
): ModelPart<Config> {
  const config = parse(parseJson(configText, file, 'its saved configuration'), file);
  const { tensors, otherTypes } = named(config);
  return { config, configText, weights: new Weights(file, tensors, otherTypes) };
}

export function text(config: Record<string, unknown>): string {
  return JSON.stringify(config, null, 2);
}

export function shapesOf(raw: RawTensors): Shapes {
  return new Map([...raw.tensors].map(([name, entry]) => [name, entry.shape]));
}
