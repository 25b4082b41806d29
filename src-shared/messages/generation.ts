/** Tokenizers, samplers, recipes: what making a picture needs beside weights. */
export const generationMessages = {
  'scheduler.invalid': (d: { file: string; why: string }) =>
    `${d.file} does not describe a sampler that can be used here: ${d.why}; choose one with --scheduler or mend the file.`,
  'scheduler.unknownClass': (d: { file: string; found: string; known: string }) =>
    `${d.file} names ${d.found}; choose one of these with --scheduler: ${d.known}.`,
  'scheduler.steps': (d: { steps: number; min: number; max: number }) =>
    `${d.steps} steps cannot be taken with this sampler; give a whole number from ${d.min} to ${d.max}.`,
  'tokenizer.missing': (d: { folder: string }) =>
    `${d.folder} has no tokenizer; it needs tokenizer.json, or vocab.json and merges.txt.`,
  'tokenizer.invalid': (d: { file: string; why: string }) =>
    `${d.file} cannot be used as a CLIP tokenizer: ${d.why}; get the file again from where the model came from.`,
  'tokenizer.wanting': (d: { file: string; folder: string }) =>
    `${d.file} holds no tokenizer, as single files never do; put the model's tokenizer folder (vocab.json, merges.txt) at ${d.folder}.`,
  'size.unusable': (d: { width: number; height: number; factor: number }) =>
    `${d.width}×${d.height} pixels can't be made with this model; width and height must be multiples of ${d.factor}.`,
  'output.notFinite': (d: { model: string; part: string }) =>
    `The ${d.part} of ${d.model} gave values that are no numbers; a LoRA's weight or the guidance may be too large, or the weights are broken.`,
  'lora.otherModel': (d: { file: string; model: string }) =>
    `${d.file} changes nothing that ${d.model} has; it was made for another kind of model.`,
  'latents.unusable': (d: { file: string; why: string }) =>
    `${d.file} can't be the starting noise: ${d.why}.`,
  'recipe.lost': (d: { file: string; what: string; option: string }) =>
    `${d.file} was made with ${d.what}, which is not there; say where it is now with ${d.option}.`,
  'recipe.differs': (d: { file: string; what: string; found: string }) =>
    `${d.file} was made with another ${d.what} than ${d.found}; give the same one to make the picture again.`,
  'set.exists': (d: { folder: string; file: string }) =>
    `${d.folder} already holds ${d.file}; add --resume to make the rest, or choose another --out.`,
  'set.otherSettings': (d: { file: string; what: string; is: string; wanted: string }) =>
    `${d.file} was made with "${d.what}" ${d.is}, not ${d.wanted}; give the same to go on with this set, or choose another --out.`,
  'prompts.table': (d: { file: string; why: string }) =>
    `${d.file} can't be read as a table of prompts: ${d.why}; it needs the columns file_name and text, a picture a row.`,
};
