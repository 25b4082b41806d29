import type { Problem } from './problem.ts';
import { forPeople } from './forPeople.ts';
import { oneLine, type Details, type MessageCode } from './index.ts';

/** Sentences for the studio, where the command line's own sentence names its options. */
const sentences: { readonly [C in MessageCode]?: (details: Details<C>) => string } = {
  'scheduler.invalid': ({ file, why }) =>
    `${file} does not describe a sampler that can be used here: ${why}; choose a sampler under More settings.`,
  'scheduler.unknownClass': ({ file, found }) =>
    `${file} names the sampler ${found}, which is not known here; choose a sampler under More settings.`,
  'model.notHere': ({ id }) => `${id} is not there; check the path, or download the model under Models.`,
  'lora.partly': ({ file, model, left }) =>
    `${file} fits ${model} only in part: ${left} would be left out, which changes the pictures. Choose the model that it was made for.`,
  'run.exists': ({ folder }) => `${folder} already holds a run; start a new run.`,
  'run.missing': ({ folder }) => `${folder} holds no run; put it back, or start a new run.`,
  'run.modelGone': ({ folder, model }) =>
    `${folder} was trained on the model ${model}, which is no longer there; put it back.`,
  'run.photosGone': ({ folder, photos }) =>
    `${folder} learnt from the photos in ${photos}, which are no longer there; put them back.`,
  'run.otherKind': ({ folder, kind }) => `${folder} holds a run of another kind (${kind}); start a new one.`,
  'capsule.changed': ({ what }) =>
    `The run can't be made again exactly, because what it learnt from has changed: ${what}. Put that back, or start a new run.`,
  'capsule.lost': ({ what }) =>
    `The run can't be made again exactly: ${what} can no longer be found. Put that back, or start a new run.`,
  'mask.rough': ({ photo }) =>
    `Nothing marks the subject of ${photo}; draw an ellipse around it, or paint over it.`,
  'recipe.lost': ({ file, what }) =>
    `${file} was made with ${what}, which is no longer where it was; put it back, or add it on the Models screen.`,
  'guidance.needsLora': ({ folder }) =>
    `${folder} trained all weights, and guidance can be distilled only into a LoRA; export it without that.`,
  'guidance.none': ({ model }) =>
    `${model} draws subjects with plain guidance, as every other program does, so there is nothing to distil; export without that.`,
  'likeness.noPhotos': ({ photos }) =>
    `${photos} can't be found, so there is nothing to compare with; put the run's photos back, or keep all pictures.`,
  'training.noClass': () =>
    'The class noun is missing; say in one word what the photos show, for example dog.',
  'training.noPhotos': () => 'There are no photos to learn from; add 4 to 6 to the subject.',
  'training.severalClasses': ({ folder, classes }) =>
    `${folder} can't be the class pictures of several classes (${classes}); let the base model make those of each class.`,
  'score.photosOfOne': ({ folder }) =>
    `${folder} has several subjects, and these are photos of one; measure it with the photos of the run.`,
  'score.noPhotos': () => 'This run has no photos of its own, so there is nothing to compare with.',
  'photos.kohya': ({ folder }) =>
    `The photos are in ${folder}, a folder named for kohya's trainer; choose that folder.`,
  'compress.layers': ({ file, kind, layers }) =>
    `${file} has ${layers} ${layers === '1' ? 'layer' : 'layers'} in its blocks, but ${kind} needs a model with 2 in each; choose the blocks to remove yourself.`,
  'compress.depth': ({ file, kind, depth }) =>
    `${file} can't become ${kind}, which is made of Stable Diffusion XL with more than ${depth} transformer blocks in its innermost stage; choose another kind, or the blocks to remove yourself.`,
  'influence.nothingLearnt': () =>
    'With its settings, this run learns nothing from its photos in so few steps, so none can help or hurt; train with a higher learning rate.',
  'compress.unfit': ({ tensor, wanted, from, found }) =>
    `These blocks can't be removed together: "${tensor}" would need the shape ${wanted}, but "${from}", which it would replace, is ${found}. Keep the blocks that change the number of channels.`,
  'compress.exists': ({ folder }) => `${folder} already exists; choose another name, or remove it first.`,
  'distill.unfit': ({ why }) =>
    `This student can't learn from this teacher: ${why}. Make the student from the teacher, under "Make a model smaller".`,
  'export.exists': ({ file }) => `${file} already exists and is never overwritten; remove it first.`,
  'export.overflow': ({ tensor, value }) =>
    `The weight "${tensor}" has the value ${value}, which 16 bits can't hold; export it with 32 bits.`,
  'provider.failed': ({ provider, why }) =>
    `The provider "${provider}" failed during the work (${why}); choose Automatic or CPU under Settings, and update the graphics driver.`,
  'provider.missing': ({ provider }) =>
    `The provider "${provider}" is not available on this machine; choose Automatic under Settings.`,
  'download.wantsLogin': ({ file, id, why }) =>
    `${file} could not be downloaded: ${why}. If you can open the page of ${id} on the Hub after signing in there, download its files from it and import their folder.`,
  'download.wantsConsent': ({ file, id }) =>
    `${file} could not be downloaded: its owner asks for consent first. Sign in on the Hub, accept the terms on the page of ${id}, download its files there and import their folder.`,
  'download.off': () => 'Downloads are off; open the offline lock and turn on downloads under Models.',
  internal: ({ why }) =>
    `Something unexpected went wrong (${why}). Try again; if it happens again, report it with this sentence.`,
};

/** Turns anything thrown into a problem for the studio. `shown`: what the person gave, by the internal path that stands for it. */
export function inStudio(thrown: unknown, shown: Readonly<Record<string, string>> = {}): Problem {
  const { code, message, details } = forPeople(thrown);
  const sentence = sentences[code] as ((details: unknown) => string) | undefined;
  const said = sentence && details ? oneLine(sentence(details)) : message;
  const named = Object.entries(shown).reduce(
    (text, [path, name]) => text.replaceAll(oneLine(path), name),
    said,
  );
  return { code, message: named };
}
