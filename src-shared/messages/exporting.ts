/** Taking weights elsewhere. */
export const exportMessages = {
  'export.exists': (d: { file: string }) =>
    `${d.file} is there already; give --out a new name, nothing is overwritten.`,
  'export.needsLora': (d: { format: string }) =>
    `The run trained whole networks, which ${d.format} can't hold; export it as diffusers, single-file or onnx.`,
  'export.unproven': (d: { file: string; error: string }) =>
    `${d.file} was written, but read back it draws another picture (off by ${d.error}); don't use it, and report this.`,
};
