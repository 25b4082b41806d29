import os from 'node:os';
import type { TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Settings } from '../../../src-shared/domain/settings.ts';
import type { StoredModel } from '../../storage/models.ts';

/** All that a step's time and memory depend on: libraries move, so the machine is part of it. */
export function measurementKey(
  { hash }: Pick<StoredModel, 'hash'>,
  provider: Settings['provider'],
  { method, batch, size, trainTextEncoder, prior, lora, textLora }: TrainingSettings,
): string {
  const machine = [os.cpus()[0]?.model.trim() ?? '', os.availableParallelism(), os.totalmem()];
  const adapters =
    method === 'lora' ? [lora.rank, lora.targets, trainTextEncoder && [textLora.rank, textLora.targets]] : [];
  return JSON.stringify([
    machine,
    hash,
    provider,
    method,
    batch,
    size,
    trainTextEncoder,
    prior !== null,
    adapters,
  ]);
}
