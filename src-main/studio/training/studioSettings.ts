import type { TrainingSettings } from '../../../src-shared/domain/trainingSettings.ts';
import type { FinetuneSettings } from '../../engine/training/settings/finetuneSettings.ts';
import type { PartialSettings } from '../../features/training/request.ts';

/** A run's settings as the window shows them: what it need not know is left out, and nothing is undefined. */
export function forWindow(settings: FinetuneSettings): TrainingSettings {
  const { prior, sampleEvery, samplePrompt, lora, textLora } = settings;
  const { classNoun, token, method, steps, learningRate, batch, accumulate, schedule, warmup } = settings;
  const { beta1, beta2, epsilon, weightDecay, maxGradientNorm, seed, size, crop, flip } = settings;
  const { trainTextEncoder, checkpointEvery, backgroundWeight = 1 } = settings;
  return {
    ...{ classNoun, token, method, steps, learningRate, batch, accumulate, schedule, warmup },
    ...{ beta1, beta2, epsilon, weightDecay, maxGradientNorm, seed, size, crop, flip },
    ...{ trainTextEncoder, checkpointEvery, backgroundWeight },
    lora: { ...lora, targets: [...lora.targets] },
    textLora: { ...textLora, targets: [...textLora.targets] },
    prior: prior ? { ...prior } : null,
    sampleEvery: sampleEvery ?? null,
    samplePrompt: samplePrompt ?? null,
  };
}

/** What a finetune is told. */
export function forFinetune(settings: TrainingSettings): PartialSettings {
  const { prior, sampleEvery, samplePrompt, ...rest } = settings;
  return {
    ...rest,
    prior: prior ?? false,
    sampleEvery: sampleEvery ?? undefined,
    ...(samplePrompt !== null && { samplePrompt }),
  };
}
