import os from 'node:os';
import * as z from 'zod';
import { fromJson } from '../../../src-shared/domain/fromJson.ts';
import type { TrainingSettings } from '../../../src-shared/domain/finetuneSettings.ts';
import type { Settings } from '../../../src-shared/domain/studioSettings.ts';
import type { StoredModel } from '../../storage/models.ts';

const thisMachine = () => [os.cpus()[0]?.model.trim() ?? '', os.availableParallelism(), os.totalmem()];

/** Everything that a step's time and memory depend on. Libraries move, so it includes the machine. */
export function measurementKey(
  { hash }: Pick<StoredModel, 'hash'>,
  provider: Settings['provider'],
  { method, batch, size, trainTextEncoder, prior, lora, textLora, precision, recompute }: TrainingSettings,
): string {
  const machine = thisMachine();
  const adapters =
    method !== 'full' ? [lora.rank, lora.targets, trainTextEncoder && [textLora.rank, textLora.targets]] : [];
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
    // Left out for f32, so that keys written before there was a choice stay valid.
    ...(precision === 'f32' ? [] : [precision]),
    ...(recompute ? ['blocks twice'] : []),
  ]);
}

const keyType = z
  .tuple([z.unknown(), z.string(), z.string(), z.string(), z.number(), z.number(), z.boolean(), z.boolean()])
  .rest(z.unknown())
  .transform(([machine, hash, provider, method, batch, size, , prior]) => ({
    ...{ hash, provider, method, batch, size, prior },
    here: JSON.stringify(machine) === JSON.stringify(thisMachine()),
  }));

/** Parses a key; undefined for one of another version. */
export function readMeasurementKey(key: string): z.output<typeof keyType> | undefined {
  return keyType.safeParse(fromJson(key)).data;
}
