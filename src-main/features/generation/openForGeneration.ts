import { createHash } from 'node:crypto';
import { fitLora, readLora, type LoraAdapter } from '../../engine/checkpoints/lora.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { modelHash, openModel } from '../../engine/checkpoints/openModel.ts';
import { bindLoras, type WeightedLora } from '../../engine/pipelines/adapters.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import type { WeightLookup } from '../../engine/pipelines/weights.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import type { GenerateRequest, LoraChoice } from './request.ts';
import { openWholeRun, weightsOfRuns } from './runs.ts';

export interface OpenedModel {
  readonly textToImage: TextToImage;
  readonly hash: string;
  readonly loras: readonly (LoraChoice & { readonly hash: string })[];
}

/** Opens the model, its tokenizer, and what it was taught: LoRAs and runs of any method. Errors: those of `openModel` and `readLora`, `lora.otherModel`, `tokenizer.*`. */
export async function openForGeneration(
  request: Pick<GenerateRequest, 'model' | 'loras' | 'provider'>,
  report: JobContext['report'],
): Promise<OpenedModel> {
  const model = openModel(request.model);
  const tokenizer = await openTokenizer(model);
  const taught = request.loras.map(
    (choice) => openWholeRun(choice, model) ?? openLora(choice, model, report),
  );
  const { adapters, matrices } = bindLoras(taught.filter((one) => 'adapters' in one));
  const whole = weightsOfRuns(
    model,
    taught.filter((one) => 'parts' in one),
  );
  const own: WeightLookup = (name) => matrices(name) ?? whole(name);
  return {
    textToImage: new TextToImage(model, tokenizer, { provider: request.provider, adapters, own }),
    hash: modelHash(model),
    loras: taught.map(({ path, weight, hash }) => ({ path, weight, hash })),
  };
}

function openLora(
  choice: LoraChoice,
  model: Model,
  report: JobContext['report'],
): WeightedLora & LoraChoice & { hash: string } {
  const { adapters, unmatched } = fitLora(readLora(choice.path), model);
  if (!adapters.length) throw problem('lora.otherModel', { file: choice.path, model: model.path });
  if (unmatched.length) {
    const named = unmatched.slice(0, 3).join(', ');
    const more = unmatched.length > 3 ? `, and ${unmatched.length - 3} more` : '';
    report({
      type: 'warning',
      message: `${choice.path} has parts that this model has not: ${named}${more}.`,
    });
  }
  return { ...choice, adapters, hash: loraHash(adapters) };
}

/** 16 hex digits of SHA-256 over every matrix. */
function loraHash(adapters: readonly LoraAdapter[]): string {
  const hash = createHash('sha256');
  const name = ({ part, module }: LoraAdapter): string => `${part}.${module}`;
  for (const adapter of [...adapters].sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    hash.update(`${name(adapter)} ${adapter.alpha};`);
    for (const { data } of [adapter.A, adapter.B])
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}
