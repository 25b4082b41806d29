import { plural } from '../plural.ts';

/** Tokenizers, samplers, recipes: what making a picture needs beside weights. */
export const generationMessages = {
  'mask.rough': (d: { photo: string }) =>
    `Nothing that was given marks a subject in ${d.photo}; give --ellipse X,Y,WIDTH,HEIGHT in pixels of the photo, or --strokes with a picture that is white where you painted. Without both, the subject is looked for.`,
  'mask.nothing': (d: { photo: string }) =>
    `Nothing in ${d.photo} stands out from what surrounds it there, so no mask was written; mark the subject again, a little more widely, or paint the mask yourself.`,
  'likeness.noPhotos': (d: { photos: string }) =>
    `${d.photos} can't be found, so there is nothing to compare with; say with --photos where photos of the subject are.`,
  'scheduler.invalid': (d: { file: string; why: string }) =>
    `${d.file} does not describe a sampler that can be used here: ${d.why}; choose one with --scheduler or correct the file.`,
  'scheduler.training': (d: { file: string; why: string }) =>
    `${d.file} does not say how its model was trained: ${d.why}; correct the file, or get it again from where the model came from.`,
  'scheduler.prediction': (d: { file: string; what: string }) =>
    `${d.file} says that its model was trained in a way that is not known here (${d.what}); use a model whose U-Net predicts noise (epsilon), velocity (v_prediction) or the picture (sample).`,
  'scheduler.unknownClass': (d: { file: string; found: string; known: string }) =>
    `${d.file} names the sampler ${d.found}, which is not known here; choose one with --scheduler: ${d.known}.`,
  'scheduler.steps': (d: { steps: number; min: number; max: number }) =>
    `This sampler can't take ${plural(d.steps, 'step', 'steps')}; give a whole number from ${d.min} to ${d.max}.`,
  'tokenizer.missing': (d: { folder: string }) =>
    `${d.folder} has no tokenizer; it needs tokenizer.json, or vocab.json and merges.txt.`,
  'tokenizer.invalid': (d: { file: string; why: string }) =>
    `${d.file} cannot be used as a CLIP tokenizer: ${d.why}; get the file again from where the model came from.`,
  'tokenizer.wanting': (d: { file: string; folder: string }) =>
    `${d.file} holds no tokenizer; single files never do. Put the model's tokenizer folder (vocab.json, merges.txt) at ${d.folder}.`,
  'size.unusable': (d: { width: number; height: number; factor: number }) =>
    `This model can't make ${d.width}×${d.height} pixels; width and height must be multiples of ${d.factor}.`,
  'output.notFinite': (d: { model: string; part: string }) =>
    `The ${d.part} of ${d.model} produced NaN or infinite values; lower the LoRA's weight or the guidance, or check that the weights are intact.`,
  'strength.tooLow': (d: { strength: number; steps: number }) =>
    `A strength of ${d.strength} leaves none of ${plural(d.steps, 'step', 'steps')} to draw; give more steps or a strength of at least ${Math.ceil(100 / d.steps) / 100}.`,
  'upscale.tooLarge': (d: { width: number; height: number; factor: number }) =>
    `A picture of ${d.width}×${d.height} pixels can't be enlarged ×${d.factor}: it would have more than 268 million pixels. Take a smaller factor or a smaller picture.`,
  'upscale.none': (d: { folder: string }) =>
    `${d.folder} has no pictures to enlarge; give a picture, or a folder of them.`,
  'upscale.twice': (d: { file: string }) =>
    `${d.file} has been enlarged already; enlarge the picture that it was made from, by ×4 for more.`,
  'mask.otherShape': (d: { mask: string; image: string; width: number; height: number }) =>
    `${d.mask} has a different shape from ${d.image}; a mask must be as wide and high as its picture (${d.width}×${d.height}).`,
  'mask.blank': (d: { mask: string }) =>
    `${d.mask} has no white, so nothing would be drawn; paint the part to redraw white.`,
  'original.gone': (d: { file: string }) =>
    `The picture to draw over is no longer in the library (${d.file}); choose it again.`,
  'lora.tag': (d: { tag: string }) =>
    `${d.tag} names no LoRA; write <lora:NAME> or <lora:NAME:0.8>, or turn weights in prompts off.`,
  'lora.noSuchName': (d: { name: string; folders: string }) =>
    `There is no LoRA or run called "${d.name}" in ${d.folders}; check the name.`,
  'lora.tagsDiffer': (d: { option: string }) =>
    `${d.option} needs prompts that name the same LoRAs; draw them one after the other.`,
  'latents.unusable': (d: { file: string; why: string }) =>
    `${d.file} can't be used as the starting noise: ${d.why}.`,
  'clipSkip.tooMany': (d: { model: string; layers: number }) =>
    `The text encoder of ${d.model} has ${d.layers} layers; give --clip-skip at most that.`,
  'embedding.notOne': (d: { file: string; found?: string | undefined }) =>
    `${d.file} ${d.found === undefined ? 'holds no embedding' : `is not an embedding but ${d.found}`}; give a textual inversion: the .pt of the web UI, or diffusers' .bin or .safetensors with one tensor.`,
  'embedding.unsupported': (d: { file: string; why: string }) =>
    `${d.file} can't be used: ${d.why}. Likeness reads textual inversions for Stable Diffusion 1 and 2.`,
  'embedding.otherModel': (d: { file: string; model: string; found: number; wanted: number }) =>
    `${d.file} was not made for ${d.model}: its vectors are ${d.found} wide, and that text encoder's are ${d.wanted}. Choose the model that it was made for.`,
  'embedding.twice': (d: { file: string; other: string; word: string }) =>
    `${d.file} and ${d.other} both stand for "${d.word}"; give one of them another word: --embedding PATH:WORD.`,
  'embedding.taken': (d: { word: string }) =>
    `"${d.word}" can't stand for an embedding, since the model's vocabulary has it already; give it another word: --embedding PATH:WORD.`,
  'recipe.lost': (d: { file: string; what: string; option: string }) =>
    `${d.file} was made with ${d.what}, which is missing; give its new place with ${d.option}.`,
  'recipe.differs': (d: { file: string; what: string; found: string }) =>
    `${d.file} was made with a different ${d.what} than ${d.found}; give the same one to make the picture again.`,
  'set.exists': (d: { folder: string; file: string }) =>
    `${d.folder} already holds ${d.file}; add --resume to make the rest, or choose another --out.`,
  'set.otherSettings': (d: { file: string; what: string; is: string; wanted: string }) =>
    `${d.file} was made with "${d.what}" ${d.is}, not ${d.wanted}; give the same value to resume this set, or choose another --out.`,
  'prompts.table': (d: { file: string; why: string }) =>
    `${d.file} can't be read as a table of prompts: ${d.why}; it needs the columns file_name and text, and one row per picture.`,
};
