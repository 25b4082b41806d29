/** Exports of weights. */
export const exportMessages = {
  'export.exists': (d: { file: string }) =>
    `${d.file} already exists and is never overwritten; choose another --out.`,
  'export.needsLora': (d: { format: string }) =>
    `The run trained all weights, which ${d.format} can't hold; export it as diffusers, single-file, onnx or coreml.`,
  'export.words': (d: { file: string; words: string }) =>
    `${d.file} brings the words ${d.words}, which a model's weights can't hold; use a LoRA without embeddings, or keep the file beside the model.`,
  'export.wordsAlone': (d: { format: string }) =>
    `This run learnt only a new word and changed no weights, so there is nothing to write as ${d.format}; export it as embedding.`,
  'export.noWords': (d: { format: string }) =>
    `This run learnt no new word, so there is no ${d.format} to write; choose another format, or train with the method embedding.`,
  'export.notForApple': (d: { model: string; why: string }) =>
    `${d.model} ${d.why}, which Apple's Core ML Stable Diffusion library can't do; export it as diffusers or onnx.`,
  'guidance.needsLora': (d: { folder: string }) =>
    `${d.folder} is not a LoRA run, and guidance can be distilled only into a LoRA; export it without that, or finetune with --method lora.`,
  'guidance.none': (d: { model: string }) =>
    `${d.model} draws subjects with plain guidance, as every other tool does, so there is nothing to distil; export without that, or say what to distil with --base-guidance.`,
  'export.overflow': (d: { tensor: string; value: string }) =>
    `The weight "${d.tensor}" has the value ${d.value}, and f16 ends at 65504; export with --dtype f32.`,
  'export.unproven': (d: { file: string; error: string }) =>
    `The export ${d.file} drew a different picture when it was read back (off by ${d.error}), so it was not kept; report this as a fault.`,
};
