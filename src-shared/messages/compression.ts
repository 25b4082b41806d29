/** Making models smaller. */
export const compressionMessages = {
  'compress.layers': (d: { file: string; kind: string; layers: string }) =>
    `${d.file} has ${d.layers} ${d.layers === '1' ? 'layer' : 'layers'} in its blocks, but ${d.kind} needs a model with 2 in each; name the blocks to remove with --remove.`,
  'compress.depth': (d: { file: string; kind: string; depth: number }) =>
    `${d.file} can't become ${d.kind}, which is made of Stable Diffusion XL with more than ${d.depth} transformer blocks in its innermost stage; choose a bk kind, or name the blocks to remove with --remove.`,
  'compress.unknownBlock': (d: { block: string; known: string }) =>
    `The U-Net has no block "${d.block}"; use one of: ${d.known}.`,
  'compress.unbalanced': (d: { down: string; up: string }) =>
    `${d.down} and ${d.up} share skip connections; remove as many pairs from one as from the other (${d.down}.1 with ${d.up}.1, for example).`,
  'compress.emptyStage': (d: { stage: string }) =>
    `${d.stage} would be left without any pair; remove the whole stage (the innermost can go) or keep one pair.`,
  'compress.innerStage': (d: { stage: string; inner: string }) =>
    `${d.stage} encloses other stages and can't be removed alone; only the innermost stages can go, ${d.inner} first.`,
  'compress.unfit': (d: { tensor: string; wanted: string; from: string; found: string }) =>
    `These blocks can't be removed together: "${d.tensor}" would need the shape ${d.wanted}, but "${d.from}", which it would replace, is ${d.found}. Blocks that change the number of channels must stay; --advise lists the others.`,
  'compress.exists': (d: { folder: string }) =>
    `${d.folder} already exists; choose another --out, or remove it first.`,
};
