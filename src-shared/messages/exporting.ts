/** Taking weights elsewhere. */
export const exportMessages = {
  'export.exists': (d: { file: string }) =>
    `${d.file} is there already; give --out a new name, nothing is overwritten.`,
  'export.needsLora': (d: { format: string }) =>
    `The run trained whole networks, which ${d.format} can't hold; export it as diffusers, single-file or onnx.`,
  'export.unproven': (d: { file: string; error: string }) =>
    `What was written for ${d.file} draws another picture when it is read back (off by ${d.error}), so it was not kept; report this.`,
};
