import { nameOf, problem } from '../../../../src-shared/messages/index.ts';
import { asRecord } from '../files.ts';
import { networkNames } from '../model.ts';
import type { LoraName } from '../names/loraNames.ts';

/** What B·A is multiplied by. `rank` is that of the module's matrices, undefined if it cannot be read from them (LoKr). */
export type Scaling = (part: LoraName['part'], module: string, rank: number | undefined) => number;

/**
 * How a module's B·A is scaled where the file has no alpha tensors: alpha over rank, from PEFT's `adapter_config.json` or from
 * the copy of it that diffusers keeps in a file's metadata; 1 where neither is there (older diffusers).
 * Errors: `lora.unsupported` for PEFT's other methods.
 */
export function loraScaling(
  config: { readonly file: string; readonly keys: Record<string, unknown> } | undefined,
  metadata: Readonly<Record<string, string>>,
  file: string,
): Scaling {
  if (config) return scalingOf(config.keys, config.file);
  const saved = savedConfig(metadata, file);
  const parts = new Map(networkNames.map((part) => [part, scalingOf(within(saved, `${part}.`), file)]));
  return (part, module, rank) => parts.get(part)?.(part, module, rank) ?? 1;
}

function savedConfig(metadata: Readonly<Record<string, string>>, file: string): Record<string, unknown> {
  const text = metadata['lora_adapter_metadata'];
  if (text === undefined) return {};
  try {
    return asRecord(JSON.parse(text));
  } catch (error) {
    throw problem('config.invalid', { file, why: 'its lora_adapter_metadata is not JSON' }, error);
  }
}

function within(keys: Record<string, unknown>, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  );
}

function scalingOf(keys: Record<string, unknown>, file: string): Scaling {
  const method = keys['peft_type'];
  if (method !== undefined && !methods.includes(nameOf(method)))
    throw problem('lora.unsupported', { file, why: `it is ${nameOf(method)}, not LoRA` });
  for (const key of otherMeanings)
    if (keys[key]) throw problem('lora.unsupported', { file, why: `it uses ${key}` });
  refuseChangedBase(keys['init_lora_weights'], file);
  const alpha = keys['lora_alpha'] ?? keys['alpha'] ?? (method === undefined ? undefined : 8); // PEFT's default
  if (alpha !== undefined && (typeof alpha !== 'number' || !Number.isFinite(alpha)))
    throw problem('config.invalid', { file, why: 'lora_alpha is not a number' });
  const rank = keys['r'];
  if (rank !== undefined && !(Number.isSafeInteger(rank) && (rank as number) > 0))
    throw problem('config.invalid', { file, why: 'r, the rank, is not a whole number above zero' });
  const patterns = Object.entries(asRecord(keys['alpha_pattern'])).map(([pattern, value]) => {
    if (typeof value !== 'number')
      throw problem('config.invalid', { file, why: `alpha_pattern ${pattern} is not a number` });
    return [literalPattern(pattern, file), value] as const;
  });
  return (_part, module, rank) => {
    // The text encoder's names may lack their `text_model.` in the pattern; an ending is enough.
    const own = patterns.find(([ending]) => module === ending || module.endsWith(`.${ending}`))?.[1];
    const chosen = own ?? alpha;
    if (chosen === undefined) return 1;
    const divisor = rank ?? (typeof keys['r'] === 'number' ? keys['r'] : 1);
    return chosen / (keys['use_rslora'] ? Math.sqrt(divisor) : divisor);
  };
}

const methods = ['LORA', 'LOHA', 'LOKR'];

/** Options of PEFT's with which the matrices mean something else, or count only for some tokens. */
const otherMeanings = [
  ...['use_qalora', 'modules_to_save', 'layer_replication', 'lora_bias', 'use_bdlora', 'kasa_config'],
  ...['monteclora_config', 'arrow_config', 'alora_invocation_tokens'],
];

/**
 * PiSSA, OLoRA and their like start from the base model's own weights, and PEFT subtracts that start from them when it loads the
 * file. Drawing with unchanged weights would give another picture.
 */
function refuseChangedBase(start: unknown, file: string): void {
  const harmless = [undefined, null, true, false, 'gaussian', 'eva', 'orthogonal'];
  if (!harmless.some((known) => known === start))
    throw problem('lora.unsupported', {
      file,
      why: `its init_lora_weights is "${nameOf(start)}", which changes the base model too (convert it with PEFT's save_pretrained and path_initial_model_for_weight_conversion)`,
    });
}

/** PEFT takes these as regular expressions. Real files name modules, and a stranger's expression is not run. */
function literalPattern(pattern: string, file: string): string {
  const literal = pattern.replace(/^\^/, '').replace(/\$$/, '').replaceAll('\\.', '.');
  if (!/^[\w.]+$/.test(literal))
    throw problem('lora.unsupported', { file, why: `its alpha_pattern has the expression "${pattern}"` });
  return literal;
}
