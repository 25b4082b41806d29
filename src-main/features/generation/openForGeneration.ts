import { createHash } from 'node:crypto';
import { fitLora, fitWholeLora, readLora, someOf, type FittedLora } from '../../engine/checkpoints/lora.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { hasHash, modelHash } from '../../engine/checkpoints/modelHash.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { bindLoras, type WeightedLora } from '../../engine/pipelines/adapters.ts';
import { openTokenizer } from '../../engine/pipelines/openTokenizer.ts';
import type { WeightLookup } from '../../engine/pipelines/weights.ts';
import { LatentColours } from '../../engine/pipelines/preview.ts';
import { TextToImage } from '../../engine/pipelines/textToImage.ts';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { GenerateRequest, LoraChoice } from './request.ts';
import { openWholeRun, weightsOfRuns } from './runs.ts';

export interface OpenedModel {
  readonly textToImage: TextToImage;
  /** For previews; fitted when first needed. */
  readonly colours: () => Promise<LatentColours>;
  readonly hash: string;
  /** Whether the model has this hash, which an older version may have made. */
  readonly isOf: (hash: string) => boolean;
  readonly loras: readonly (LoraChoice & Pick<OpenedModel, 'hash' | 'isOf'>)[];
}

/** Opens the model, its tokenizer, and what it was taught: LoRAs and runs of any method. Errors: those of `openModel` and `readLora`, `lora.otherModel`, `tokenizer.*`. */
export async function openForGeneration(
  request: Pick<GenerateRequest, 'model' | 'loras' | 'provider' | 'partial'>,
  report: JobContext['report'],
): Promise<OpenedModel> {
  const model = openModel(request.model);
  const tokenizer = await openTokenizer(model);
  const taught = request.loras.map(
    (choice) =>
      openWholeRun(choice, model) ?? openLora(choice, model, { report, partial: request.partial ?? false }),
  );
  const { adapters, matrices } = bindLoras(taught.filter((one) => 'adapters' in one));
  const whole = weightsOfRuns(
    model,
    taught.filter((one) => 'parts' in one),
  );
  const own: WeightLookup = (name) => matrices(name) ?? whole(name);
  const textToImage = new TextToImage(model, tokenizer, { provider: request.provider, adapters, own });
  let colours: Promise<LatentColours> | undefined;
  return {
    textToImage,
    colours: () => (colours ??= LatentColours.of(textToImage.networks, model.vae.config)),
    hash: modelHash(model),
    isOf: (hash) => hasHash(model, hash),
    loras: taught.map(({ path, weight, hash, isOf }) => ({ path, weight, hash, isOf })),
  };
}

function openLora(
  choice: LoraChoice,
  model: Model,
  { report, partial }: { readonly report: JobContext['report']; readonly partial: boolean },
): WeightedLora & OpenedModel['loras'][number] {
  const lora = readLora(choice.path);
  const fitted = partial ? fitLora(lora, model) : fitWholeLora(lora, model);
  if (fitted.unmatched.length) {
    const message = `Left out of ${choice.path}: ${someOf(fitted.unmatched)}.`;
    report({ type: 'warning', message });
  }
  const hash = loraHash(fitted);
  return { ...choice, ...fitted, hash, isOf: (other) => other === hash };
}

/** 16 hex digits of SHA-256 over every matrix. */
function loraHash({ adapters, changes }: FittedLora): string {
  const hash = createHash('sha256');
  const parts = [
    ...adapters.map(({ part, module, alpha, A, B }) => ({
      name: `${part}.${module} ${alpha};`,
      tensors: [A, B],
    })),
    ...changes.map(({ part, module, tensor, method, parameters }) => ({
      name: `${part}.${module}.${tensor} ${method};`,
      tensors: parameters,
    })),
  ];
  for (const { name, tensors } of parts.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(name);
    for (const { data } of tensors)
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}
