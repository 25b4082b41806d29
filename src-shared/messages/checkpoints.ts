/** What to do, by the operating system's error code for a file that could not be written. */
const whatToDo: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space or choose another place',
  EDQUOT: 'the disk quota is used up; free some space or choose another place',
  ENOENT: 'its folder is gone; put it back or choose another place',
  EISDIR: 'a folder has this name; give a file in it',
  EEXIST: 'something that is not a folder has this name; choose another place',
  ENOTDIR: 'a part of its path is a file; choose another place',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  EROFS: 'the disk is read-only; choose another place',
  EACCES: 'permission denied; check who may write there',
};

/** Weight files and model folders. */
export const checkpointMessages = {
  'file.missing': (d: { file: string }) => `${d.file} is not there; check the path.`,
  'file.unreadable': (d: { file: string; why: string }) =>
    `${d.file} can't be read (${d.why}); ${d.why === 'ENAMETOOLONG' ? 'the path is too long, so choose a shorter one' : 'check the path and its permissions'}.`,
  'file.unwritable': (d: { file: string; why: string }) =>
    `${d.file} can't be written (${d.why}); ${whatToDo[d.why] ?? 'choose another place or free some space there'}.`,
  'output.taken': (d: { file: string; what: string }) =>
    `${d.file} already exists and is not ${d.what}, so it was not overwritten; choose another name, or remove the file.`,
  'weights.damaged': (d: { file: string; why: string }) =>
    `${d.file} is damaged: ${d.why}. Download or export the file again.`,
  'weights.unsupported': (d: { file: string; why: string }) =>
    `${d.file} can't be used: ${d.why}. Save it as .safetensors with contiguous f32, f16 or bf16 tensors.`,
  'weights.unsafe': (d: { file: string; name: string }) =>
    `${d.file} asks to run "${d.name}" while loading, which weights never need, so it was refused and nothing was run. Use a .safetensors file from a source you trust.`,
  'weights.none': (d: { file: string; expected: string; found?: string | undefined }) =>
    `${d.file} holds no weights; expected ${d.expected} there.${d.found === undefined ? '' : ` ${d.found}.`}`,
  'tensor.missing': (d: { file: string; tensor: string; expected: string }) =>
    `${d.file} lacks the tensor "${d.tensor}" (${d.expected}); it is truncated, or its config.json belongs to another model. Get both files from one source.`,
  'tensor.surplus': (d: { file: string; tensor: string }) =>
    `${d.file} holds the tensor "${d.tensor}", which its config.json does not mention; use the weights and the config.json of one model.`,
  'tensor.shape': (d: { file: string; tensor: string; expected: string; found: string }) =>
    `${d.file}: the tensor "${d.tensor}" is ${d.found} where config.json asks for ${d.expected}; use the weights and the config.json of one model.`,
  'tensor.type': (d: { file: string; tensor: string; found: string }) =>
    `${d.file}: the tensor "${d.tensor}" is of type ${d.found}; only f32, f16 and bf16 weights can be used.`,
  'tensor.notNumbers': (d: { file: string; tensor: string; count: number }) =>
    `${d.file}: the tensor "${d.tensor}" holds ${d.count} NaN or infinite values, so the weights are broken; use another copy or an earlier checkpoint.`,
  'unet.otherModel': (d: { unet: string; model: string; why: string }) =>
    `The U-Net of ${d.unet} can't be put into ${d.model}: ${d.why}. Choose one of the same family.`,
  'config.invalid': (d: { file: string; why: string }) =>
    `${d.file} is not a valid configuration: ${d.why}. Take the file from the model's original folder.`,
  'model.family': (d: { file: string; found: string }) =>
    `${d.file} is ${d.found}; only text-to-image models of the Stable Diffusion 1, 2 and XL families can be used.`,
  'model.notForXl': (d: { model: string; what: string }) =>
    `${d.model} is of the Stable Diffusion XL family, for which ${d.what} is not built; it can be drawn with, finetuned, made smaller, and distilled into a smaller one.`,
  'model.notOne': (d: { file: string; found?: string | undefined; instead?: string }) =>
    `${d.file} is ${d.found ?? 'not a model'}; ${d.instead ?? 'give a diffusers folder (with unet, vae, text_encoder, tokenizer and scheduler in it) or a single .safetensors or .ckpt file'}.`,
  'model.missingPart': (d: { file: string; part: string }) =>
    `${d.file} has no ${d.part}, so the model is incomplete; get the missing files.`,
  'model.unclear': (d: { file: string; what: string }) =>
    `${d.file} doesn't say ${d.what}, and its weights can't tell; use the model's diffusers folder instead.`,
  'model.predicts': (d: { file: string; what: string; from: string; said: string }) =>
    `${d.file} says that it predicts ${d.what} (${d.from}), so --prediction ${d.said} can't be right; leave the option out.`,
  'weights.standIn': (d: { file: string; what: string; instead: string }) =>
    `${d.file} is ${d.what}, not the weights; ${d.instead}.`,
  'weights.precision': (d: { file: string; found: string }) =>
    `${d.file} is stored as ${d.found}, which Likeness can't compute with; get the model in fp16 or fp32 (many pages offer both).`,
  'weights.manyVariants': (d: { file: string; found: string }) =>
    `${d.file} holds several variants of the weights and no plain one (${d.found}); keep only the one that you want.`,
  'lora.notOne': (d: { file: string; found?: string | undefined; instead?: string }) =>
    `${d.file} ${d.found === undefined ? 'holds no LoRA' : `is not a LoRA but ${d.found}`}; ${d.instead ?? 'give a PEFT folder (adapter_config.json and adapter_model.safetensors), a run folder, or a LoRA file of kohya, diffusers, LyCORIS or ComfyUI'}.`,
  'lora.unsupported': (d: { file: string; why: string }) =>
    `${d.file} can't be used: ${d.why}. Likeness reads LoRA, LoCon, LoHa, LoKr and DoRA for Stable Diffusion 1, 2 and XL.`,
  'lora.otherModel': (d: { file: string; model: string; why: string }) =>
    `${d.file} was not made for ${d.model}: ${d.why}. Choose the model that it was made for.`,
  'lora.partly': (d: { file: string; model: string; left: string }) =>
    `${d.file} fits ${d.model} only in part: ${d.left} would be left out, which changes the pictures. Choose the model that it was made for, or give --partial to use the rest.`,
  'lora.unfit': (d: { file: string; tensor: string; found: string }) =>
    `${d.file}: the matrices of "${d.tensor}" don't fit each other (${d.found}); the file is damaged, or its tool lays them out in another way. Export the LoRA again, or get another copy.`,
  'lora.incomplete': (d: { file: string; tensor: string; missing: string }) =>
    `${d.file}: "${d.tensor}" has no matching ${d.missing}; the LoRA file is truncated or damaged, so get it again.`,
};
