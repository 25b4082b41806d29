import { fitWholeLora } from '../../engine/checkpoints/lora/fitLora.ts';
import { readLora } from '../../engine/checkpoints/lora/readLora.ts';
import { mergeFiles } from '../../engine/checkpoints/lora/mergeLora.ts';
import { weightsOf } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { bindLoras } from '../../engine/pipelines/adapters.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import { refuseHalfCheckpoint } from '../../engine/training/run/wholeCheckpoint.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { OpenedRun } from './openRun.ts';
import type { Mix } from './request.ts';

/**
 * A model with LoRA files of any tool and method in its weights, or with none, as it is. Errors: those of `openModel`, `readLora` and `fitWholeLora`, which name
 * what can't be used; `export.words` where a file holds embeddings, which no model's weights can.
 */
export function openMix({ model: path, loras }: Mix): OpenedRun {
  const model = openModel(path);
  const files = loras.map(({ path: file, weight }) => {
    refuseHalfCheckpoint(file, model);
    const lora = readLora(file);
    const words = [...lora.embeddings.keys()];
    if (words.length > 0) throw problem('export.words', { file, words: words.join(', ') });
    return { ...fitWholeLora(lora, model), weight };
  });
  const { adapters, matrices } = bindLoras(files);
  return {
    ...{ model, step: 0, prompt: 'a photo', size: TextToImage.defaultSize(model).width },
    ...{ adapters: [], few: false, title: files.length > 0 ? 'with the LoRA files' : 'the model' },
    changes: {
      unet: mergeFiles(model.unet.weights, 'unet', files),
      textEncoder: mergeFiles(model.textEncoder.weights, 'text_encoder', files),
      textEncoder2: mergeFiles(weightsOf(model, 'text_encoder_2'), 'text_encoder_2', files),
    },
    networks: { adapters, own: matrices },
  };
}
