import os from 'node:os';
import type { ProviderChoice } from '../../../src-shared/domain/providers.ts';
import { graphicsDevices } from '../../engine/runtime/graphicsDevice.ts';
import { fastestKept } from '../../engine/runtime/keptVerdicts.ts';
import { cacheFolder } from '../../places.ts';

/** Memory that a run may take. */
export interface Room {
  readonly bytes: number;
  /** The graphics device that computes; null: the processor, in the machine's memory. */
  readonly device: string | null;
}

/** What a run may take of the machine's memory. */
const mostOfMemory = 0.85;
/** Of a graphics device's own, which also draws the screen. */
const mostOfDevice = 0.9;

/** Of the machine's memory, whatever computes. */
export const machineRoom = (): Room => ({ bytes: os.totalmem() * mostOfMemory, device: null });

/**
 * Where a run computes, and what room it has there: on the graphics device where one is chosen, or `auto` came to choose it on this
 * machine, and the system says how much memory it has; else in the machine's.
 */
export async function trainingRoom(choice: ProviderChoice): Promise<Room> {
  if (choice === 'cpu') return machineRoom();
  if (choice === 'auto' && (await fastestKept(cacheFolder())) === undefined) return machineRoom();
  const [device] = await graphicsDevices();
  if (device?.memory === undefined) return machineRoom();
  return { bytes: device.memory * (device.shared ? mostOfMemory : mostOfDevice), device: device.name };
}
