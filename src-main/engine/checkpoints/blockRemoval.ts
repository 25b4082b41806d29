import { problem } from '../../../src-shared/messages/index.ts';
import type { UNetConfig } from '../models/config.ts';

/**
 * A U-Net as blocks that can be removed (Kim et al. 2023, BK-SDM): pairs of a resnet and the attention after it, named
 * `down_blocks.N.M` and `up_blocks.N.M`; `mid_block`; the innermost stage, `down_blocks.N` with its `up_blocks.0`.
 */
export const studentKinds = ['bk-base', 'bk-small', 'bk-tiny', 'koala-1b', 'koala-700m'] as const;
export type StudentKind = (typeof studentKinds)[number];

/**
 * Transformer blocks that KOALA (Lee et al. 2023, made of SDXL) keeps in each attention of the innermost stage. That the first ones stay
 * is our choice: its code and model cards say how many.
 */
const koalaDepths: Partial<Record<StudentKind, number>> = { 'koala-1b': 6, 'koala-700m': 5 };

/** What is left of a teacher. */
export interface Removal {
  /** Stages taken out at the inner end. */
  readonly stages: number;
  readonly mid: boolean;
  /** The teacher's pairs that each of its down and up blocks keeps. */
  readonly down: readonly (readonly number[])[];
  readonly up: readonly (readonly number[])[];
  /** Transformer blocks that are left of each attention of the innermost stage and of the mid block, the first ones; all when left out. */
  readonly innerDepth?: number | undefined;
}

/** The blocks that the published students lack. Errors: `compress.layers`, `compress.depth`. */
export function blocksOfKind(kind: StudentKind, config: UNetConfig, file: string): string[] {
  const { layers_per_block: layers } = config;
  if (layers.some((count) => count !== 2))
    throw problem('compress.layers', { file, kind, layers: layers.join(', ') });
  const depth = koalaDepths[kind];
  const depths = config.transformer_layers_per_block.at(-1) ?? [];
  if (depth !== undefined && (!config.addition || depths.some((own) => own <= depth)))
    throw problem('compress.depth', { file, kind, depth });
  const stages = kind === 'bk-tiny' ? layers.length - 1 : layers.length;
  const innermost = layers.length - 1;
  const pairs = Array.from({ length: stages }, (_, level) => [
    `down_blocks.${level}.1`,
    `up_blocks.${innermost - level}.1`,
  ]);
  return [
    ...pairs.flat(),
    ...(keepsMid.includes(kind) || !config.mid_block_type ? [] : ['mid_block']),
    ...(kind === 'bk-tiny' ? [`down_blocks.${innermost}`] : []),
  ];
}

const keepsMid: readonly StudentKind[] = ['bk-base', 'koala-1b'];

/** What is left of a teacher as a published student. Errors: those of `blocksOfKind`. */
export function removalOfKind(kind: StudentKind, config: UNetConfig, file: string): Removal {
  const removal = planRemoval(config, blocksOfKind(kind, config, file));
  return { ...removal, innerDepth: koalaDepths[kind] };
}

/** What `removal` takes out of attentions, in words: "transformer blocks 6–9 of down_blocks.2". */
export function removedTransformers({ innerDepth, mid }: Removal, config: UNetConfig): string[] {
  if (innerDepth === undefined) return [];
  const depth = config.transformer_layers_per_block.at(-1)?.[0] ?? innerDepth;
  const innermost = `down_blocks.${config.layers_per_block.length - 1}`;
  const places = [innermost, ...(mid ? ['mid_block'] : []), 'up_blocks.0'];
  return places.map((place) => `transformer blocks ${innerDepth}–${depth - 1} of ${place}`);
}

/** Every pair of resnet and attention, and the mid block: the blocks that can be measured one by one. */
export function singleBlocks(config: UNetConfig): string[] {
  const { layers_per_block: layers, mid_block_type: mid } = config;
  const pairs = (side: string, counts: readonly number[]): string[] =>
    counts.flatMap((count, block) => Array.from({ length: count }, (_, pair) => `${side}.${block}.${pair}`));
  return [
    ...pairs('down_blocks', layers),
    ...(mid ? ['mid_block'] : []),
    ...pairs(
      'up_blocks',
      layers.toReversed().map((count) => count + 1),
    ),
  ];
}

/**
 * What is left when `blocks` are taken out. A stage's halves share their skip connections, so a down block loses as many
 * pairs as the up block across from it. Errors: `compress.unknownBlock`, `compress.unbalanced`, `compress.emptyStage`.
 */
export function planRemoval(config: UNetConfig, blocks: readonly string[]): Removal {
  const { layers_per_block: layers, mid_block_type: mid } = config;
  const depth = layers.length;
  const inner = [...Array(depth - 1).keys()].flatMap((i) => [`down_blocks.${i + 1}`, `up_blocks.${i}`]);
  const known = [...singleBlocks(config), ...inner];
  const unknown = blocks.find((block) => !known.includes(block) && block !== 'down_blocks.0');
  if (unknown !== undefined)
    throw problem('compress.unknownBlock', { block: unknown, known: known.join(', ') });
  const stages = removedStages(blocks, depth);

  const kept = (side: string, block: number, count: number): number[] =>
    [...Array(count).keys()].filter((pair) => !blocks.includes(`${side}.${block}.${pair}`));
  const down = layers.map((count, level) => kept('down_blocks', level, count));
  const up = layers.toReversed().map((count, block) => kept('up_blocks', block, count + 1));
  for (let level = 0; level < depth - stages; level++) {
    const names = { down: `down_blocks.${level}`, up: `up_blocks.${depth - 1 - level}` };
    const [below, above] = [down[level] ?? [], up[depth - 1 - level] ?? []];
    if (above.length !== below.length + 1) throw problem('compress.unbalanced', names);
    if (below.length === 0) throw problem('compress.emptyStage', { stage: names.down });
  }
  return { stages, mid: !!mid && !blocks.includes('mid_block'), down, up };
}

/** How many stages are removed, counted from the innermost: none can go without those inside it. */
function removedStages(blocks: readonly string[], depth: number): number {
  const isGone = (level: number): boolean =>
    blocks.includes(`down_blocks.${level}`) || blocks.includes(`up_blocks.${depth - 1 - level}`);
  const gone = [...Array(depth).keys()].filter(isGone);
  const outermost = gone[0];
  if (outermost === undefined) return 0;
  if (outermost === 0 || gone.length !== depth - outermost)
    throw problem('compress.innerStage', {
      stage: `down_blocks.${outermost}`,
      inner: `down_blocks.${depth - 1}`,
    });
  return gone.length;
}

/**
 * The teacher's name of the student's tensor `name`: pairs and up blocks move up into the places of those that are gone (for
 * Base and Small `up_blocks.N.….1 ← .2`; Tiny's up blocks also `N ← N + 1`).
 */
export function teacherName(name: string, { stages, down, up }: Removal): string {
  const [, side, block, rest] = /^(down_blocks|up_blocks)\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (side === undefined || rest === undefined) return name;
  const from = Number(block) + (side === 'up_blocks' ? stages : 0);
  const kept = (side === 'up_blocks' ? up : down)[from] ?? [];
  const moved = rest.replace(
    /^(resnets|attentions)\.(\d+)/,
    (_, list: string, pair: string) => `${list}.${kept[Number(pair)]}`,
  );
  return `${side}.${from}.${moved}`;
}
