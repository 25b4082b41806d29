import { problem } from '../../../src-shared/messages/index.ts';
import { parseUNetConfig } from '../models/parseConfig.ts';
import { unetShapes } from '../models/unetCost.ts';
import { sameShape, type FileTensor } from '../tensor/tensor.ts';
import { teacherName, type Removal } from './blockRemoval.ts';
import { asRecord, parseJson } from './files.ts';
import type { Model, ModelPart } from './model.ts';
import { expectTensor, Weights } from './weights.ts';
import { jsonText } from './writeJson.ts';

/**
 * The model with blocks of its U-Net taken out; what is left keeps its weights, bit for bit, where they lie. Errors:
 * `compress.unfit`, `tensor.missing`.
 */
export function studentOf(teacher: Model, removal: Removal): Model {
  const { config: own, weights, configText } = teacher.unet;
  const edited = editedConfig(asRecord(parseJson(configText, teacher.path)), teacher.unet, removal);
  const config = parseUNetConfig(edited, teacher.path);
  const teacherShapes = unetShapes(own);
  const entries = new Map<string, FileTensor>();
  for (const [name, shape] of unetShapes(config)) {
    const from = teacherName(name, removal);
    const known = teacherShapes.get(from);
    if (!known || !sameShape(known, shape))
      throw problem('compress.unfit', {
        tensor: name,
        wanted: shape.join('×'),
        from,
        found: known?.join('×') ?? 'not there',
      });
    entries.set(name, expectTensor(weights, from, shape));
  }
  const unet = { config, configText: `${jsonText(edited)}\n`, weights: new Weights(weights.source, entries) };
  return { ...teacher, unet };
}

/** The keys of `config.json` that say which blocks there are; all others stay as they are. */
function editedConfig(
  raw: Record<string, unknown>,
  { config }: ModelPart<Model['unet']['config']>,
  { stages, mid, down, up, innerDepth }: Removal,
): Record<string, unknown> {
  const depth = config.block_out_channels.length - stages;
  const layers = down.slice(0, depth).map((pairs) => pairs.length);
  const perBlock = ['attention_head_dim', 'num_attention_heads', 'cross_attention_dim'] as const;
  const lists: (readonly [string, unknown[]])[] = perBlock.flatMap((key) => {
    const value = raw[key];
    return Array.isArray(value) ? [[key, value.slice(0, depth)] as const] : [];
  });
  const ofTransformers = [
    ['transformer_layers_per_block', down.slice(0, depth)],
    ['reverse_transformer_layers_per_block', up.slice(stages)],
  ] as const;
  for (const [key, kept] of ofTransformers) {
    const value: unknown = raw[key];
    if (!Array.isArray(value)) continue;
    const left = (key.startsWith('reverse') ? value.slice(stages) : value) as unknown[];
    // A block's own list says each attention's.
    const own = kept.map((pairs, block): unknown => {
      const depths = left[block];
      return Array.isArray(depths) ? pairs.map((pair) => depths[pair] as unknown) : depths;
    });
    lists.push([key, own]);
  }
  if (innerDepth !== undefined)
    lists.push(['transformer_layers_per_block', innerDepthOnly(config, innerDepth)]);
  return {
    ...raw,
    ...Object.fromEntries(lists),
    block_out_channels: config.block_out_channels.slice(0, depth),
    down_block_types: config.down_block_types.slice(0, depth),
    up_block_types: config.up_block_types.slice(stages),
    layers_per_block: new Set(layers).size === 1 ? layers[0] : layers,
    mid_block_type: mid ? config.mid_block_type : null,
  };
}

/** A depth for each block, the innermost one's `innerDepth`. */
function innerDepthOnly(
  { transformer_layers_per_block: depths }: Model['unet']['config'],
  innerDepth: number,
): number[] {
  return depths.map(([own = 1], level) => (level === depths.length - 1 ? innerDepth : own));
}
