import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModel } from '../../src-main/engine/checkpoints/openModel.ts';
import { Tokenizer } from '../../src-main/engine/models/tokenizer.ts';
import { TextToImage } from '../../src-main/engine/pipelines/textToImage.ts';
import { contactSheet } from './contactSheet.ts';
import { side, tunedFinetune, tunedGeneration, tunedScenes } from './modelConfig.ts';
import { outFolder, repositoryFolder } from './paths.ts';
import { samplePrompts } from './samplePrompts.ts';

// Stage 7: the finished folder into the repository, with its own finetune settings and a sheet of pictures nobody picked.

const trained = join(outFolder(), 'weights', 'likeness-mini');
const shipped = join(repositoryFolder, 'models', 'likeness-mini');
for (const part of ['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler', 'scorer', 'model_index.json']) {
  rmSync(join(shipped, part), { recursive: true, force: true });
  cpSync(join(trained, part), join(shipped, part), { recursive: true });
}
const own = { generate: tunedGeneration, finetune: { ...tunedFinetune, scenes: tunedScenes } };
writeFileSync(join(shipped, 'likeness.json'), `${JSON.stringify(own, null, 2)}\n`);

const model = openModel(shipped);
const pipeline = new TextToImage(model, await Tokenizer.load(join(shipped, 'tokenizer')));
const pictures: Uint8Array[] = [];
const requests = samplePrompts.flatMap((prompt) => [0, 1].map((seed) => ({ prompt, seed })));
for await (const { picture } of pipeline.generate(requests, {
  steps: 25,
  guidance: tunedGeneration.guidance,
  width: side,
  height: side,
})) {
  pictures.push(picture.data);
}
await pipeline.dispose();
await contactSheet(pictures, side, 8, join(shipped, 'sheet.png'));
