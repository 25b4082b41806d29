import { plural } from '../plural.ts';

/** Finetuning and distillation. */
export const trainingMessages = {
  'lora.target': (d: { target: string; part: string }) =>
    `The ${d.part} has no Linear or Conv named "${d.target}"; usual targets are to_q, to_k, to_v, to_out.0 (U-Net) and q_proj, k_proj, v_proj, out_proj (text encoder).`,
  'lora.startUnfit': (d: { file: string; module: string }) =>
    `${d.file} has no adapter for "${d.module}"; give a LoRA folder made for this model with the same targets.`,
  'lora.startLeft': (d: { file: string; left: string; how: string }) =>
    `${d.file} also changes ${d.left}, which this run would not train, so it would be lost; train all of it: ${d.how}.`,
  'lora.startWords': (d: { file: string; word: string }) =>
    `${d.file} comes with an embedding ("${d.word}"), which a run would lose; give a LoRA without one, or leave --init-lora out.`,
  'lora.startMethod': (d: { file: string; method: string; wanted: string; module: string }) =>
    `${d.file} changes "${d.module}" by ${d.method}, but this run trains ${d.wanted}; give a ${d.wanted} file, choose the file's --method, or leave --init-lora out.`,
  'replay.invalid': (d: { file: string; why: string }) =>
    `${d.file} can't be replayed: ${d.why}; record latents, noise, timesteps and input_ids as the contract says.`,
  'replay.tooShort': (d: { file: string; rows: number; wanted: number }) =>
    `${d.file} holds ${plural(d.rows, 'batch', 'batches')} and the run needs ${d.wanted}; lower --steps or record more.`,
  'training.badSettings': (d: { why: string }) => `These settings can't be used: ${d.why}.`,
  'training.diverged': (d: { step: number }) =>
    `The loss is no longer a number at step ${d.step}; the last checkpoint has been kept. Start again with a lower learning rate.`,
  'capsule.none': (d: { name: string }) =>
    `The run ${d.name} was made by an earlier version and has no capsule, so it can't be made again exactly; start a new run with its settings.`,
  'run.notDone': (d: { name: string }) =>
    `The run ${d.name} has not finished, so there is nothing to compare with; let it train to its last step first.`,
  'capsule.damaged': (d: { file: string; why: string }) =>
    `${d.file} is not a run's capsule (${d.why}); give RUN/capsule.json, or the run's folder.`,
  'capsule.lost': (d: { file: string; what: string; option: string }) =>
    `${d.file} was made with ${d.what}, which is no longer where it was; say with ${d.option} where it is now.`,
  'capsule.changed': (d: { file: string; what: string }) =>
    `The run of ${d.file} can't be made again: ${d.what}. Put these back as they were.`,
  'capsule.otherBits': (d: { file: string; what: string }) =>
    `The weights differ from those of ${d.file}: ${d.what}.`,
  'run.exists': (d: { folder: string }) =>
    `${d.folder} already holds a run; add --resume to continue it, or choose another --out.`,
  'run.inUse': (d: { folder: string }) =>
    `${d.folder} is being trained by another Likeness; let that one end, or stop it.`,
  'run.otherModel': (d: { folder: string; model: string }) =>
    `${d.folder} was trained on a different model from the one in ${d.model} now; restore the original model, or start a new run.`,
  'run.modelGone': (d: { folder: string; model: string; option?: string }) =>
    `${d.folder} was trained on the model ${d.model}, which is no longer there; put it back${d.option === undefined ? '' : `, or give its new place with ${d.option}`}.`,
  'run.photosGone': (d: { folder: string; photos: string; option?: string | undefined }) =>
    `${d.folder} learnt from the photos in ${d.photos}, which are no longer there; put them back${d.option === undefined ? '' : `, or give their new place with ${d.option}`}.`,
  'run.otherPhotos': (d: { folder: string; photos: string; name: string; how: string }) =>
    `${d.folder} was started with other photos: ${d.name} in ${d.photos} ${d.how}; restore the original photos, or start a new run in another folder.`,
  'run.otherSetting': (d: { folder: string; setting: string; is: string; wanted: string }) =>
    `${d.folder} was started with "${d.setting}" at ${d.is}, not ${d.wanted}; leave that setting out to resume the run, or start a new run in another folder.`,
  'run.missing': (d: { folder: string }) =>
    `${d.folder} holds no run; give the folder that finetune wrote to with --out.`,
  'run.damaged': (d: { file: string; why: string }) =>
    `${d.file} can't be read as a run (${d.why}); start a new run in another folder.`,
  'run.settings': (d: { name: string; why: string }) =>
    `The library's record of ${d.name}'s settings can't be read (${d.why}). If it has begun to train, its folder has them too and it can be resumed; if not, start a new run.`,
  'run.stateDamaged': (d: { file: string; why: string }) =>
    `${d.file} can't be resumed from (${d.why}); the run's checkpoints can still be used. Delete the file to train again from the first step.`,
  'run.noCheckpoint': (d: { folder: string; wanted: string }) =>
    `${d.folder} has no checkpoint ${d.wanted}; let the run reach one, or choose another step.`,
  'run.half': (d: { folder: string; part: string }) =>
    `${d.folder} has lost ${d.part}, which its run trained too, so it would draw other pictures; copy the whole folder again, or choose another checkpoint.`,
  'quickstart.other': (d: { folder: string }) =>
    `${d.folder} holds a quickstart with other options; give the same photos, class, model and steps to resume it, or choose another --out.`,
  'training.noClass': (d: { option: string }) =>
    `The class noun is missing; say what the photos show with ${d.option}, for example ${d.option} dog.`,
  'training.inpainting': (d: { model: string }) =>
    `${d.model} is made for inpainting, and such models can be finetuned here but not distilled; distil the model it was made from.`,
  'training.wordOfTwo': (d: { model: string }) =>
    `${d.model} has two text encoders, and a word can be learnt only for one; train a LoRA, or choose a model of the Stable Diffusion 1 or 2 family.`,
  'training.wordTaken': (d: { token: string }) =>
    `"${d.token}" can't become a new word, since the model's vocabulary has it already; choose another token, for example "<${d.token}>".`,
  'training.sameToken': (d: { token: string }) =>
    `Two subjects of this run have the token "${d.token}", so prompts could not tell them apart; give each a token of its own.`,
  'training.samePhotos': (d: { photos: string }) =>
    `${d.photos} is given for two subjects of this run; each subject needs a folder of its own photos.`,
  'training.severalClasses': (d: { folder: string; classes: string }) =>
    `${d.folder} can't be the class pictures of several classes (${d.classes}); leave --class-photos out, and the base model makes those of each class.`,
  'training.noPlaces': (d: { folder: string }) =>
    `${d.folder} has no pictures of places to put the subject into; add some, each named as prompts say it ("in the snow.jpg"), or leave new places off.`,
  'training.noPhotos': (d: { option: string }) =>
    `There are no photos to learn from; give a folder of them with ${d.option}.`,
};
