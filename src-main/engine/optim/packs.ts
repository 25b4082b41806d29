import type { FlatParameters, RatedPart } from './flatParameters.ts';

/** A stretch of a flat array: one buffer on a device. */
export interface Pack {
  readonly name: string;
  /** Elements of the flat array before it. */
  readonly start: number;
  readonly length: number;
  /** Factor on the learning rate. */
  readonly rate: number;
  /** The parameters in it, where each begins in the pack. */
  readonly parameters: readonly { readonly name: string; readonly offset: number }[];
}

/** A parameter of this many elements (16 MB) has a buffer of its own: cutting it out of a larger one would be a copy. */
const alone = 1 << 22;
/** Elements of the largest buffer that small ones share (64 MB). */
const together = 1 << 24;

/** Cuts a layout into stretches of one learning rate each: a LoRA into one or two, whole networks into some hundreds. */
export function packsOf(
  layout: FlatParameters,
  parts: readonly RatedPart[] = [{ start: 0, end: layout.length, rate: 1 }],
  limits = { alone, together },
): Pack[] {
  const packs: { start: number; end: number; rate: number; names: string[] }[] = [];
  for (const name of layout.names) {
    const { offset, end } = layout.place(name);
    const rate = parts.find((part) => part.start <= offset && offset < part.end)?.rate ?? 1;
    const last = packs.at(-1);
    const isLarge = end - offset >= limits.alone;
    const lastIsLarge =
      last !== undefined && last.names.length === 1 && last.end - last.start >= limits.alone;
    if (!last || isLarge || lastIsLarge || last.rate !== rate || end - last.start > limits.together)
      packs.push({ start: offset, end, rate, names: [name] });
    else {
      last.end = end;
      last.names.push(name);
    }
  }
  return packs.map(({ start, end, rate, names }, i) => ({
    name: `pack.${i}`,
    ...{ start, length: end - start, rate },
    parameters: names.map((name) => ({ name, offset: layout.place(name).offset - start })),
  }));
}
