/** Making models smaller. */
export const compressionMessages = {
  'compress.layers': (d: { file: string; kind: string; layers: string }) =>
    `${d.file} has ${d.layers} layers in its blocks, and ${d.kind} is made from a model with 2 in each; name the blocks to take out with --remove.`,
  'compress.unknownBlock': (d: { block: string; known: string }) =>
    `The U-Net has no block "${d.block}"; these can be named: ${d.known}.`,
  'compress.unbalanced': (d: { down: string; up: string }) =>
    `${d.down} and ${d.up} share their skip connections: take as many pairs out of the one as out of the other (${d.down}.1 with ${d.up}.1, for example).`,
  'compress.emptyStage': (d: { stage: string }) =>
    `${d.stage} would be left without any pair; take the whole stage out (the innermost can go) or leave one in.`,
  'compress.innerStage': (d: { stage: string; inner: string }) =>
    `${d.stage} lies outside of others and can't go alone; only the innermost stages can be taken out, ${d.inner} first.`,
  'compress.unfit': (d: { tensor: string; wanted: string; from: string; found: string }) =>
    `These blocks can't be taken out together: "${d.tensor}" would be ${d.wanted}, and "${d.from}", whose place it takes, is ${d.found}. Blocks where the number of channels changes must stay; --advise lists the others.`,
  'compress.exists': (d: { folder: string }) =>
    `${d.folder} is already there; choose another --out, or remove it first.`,
};
