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

/** Share of the machine's memory that a run may take. */
const mostOfMemory = 0.85;
/** Share of a graphics device's memory, as it also draws the screen. */
const mostOfDevice = 0.9;

/** The room in the machine's memory, whatever computes. */
const machineRoom = (): Room => ({ bytes: os.totalmem() * mostOfMemory, device: null });

/**
 * Where a run computes, and its room there: on the graphics device, if one is chosen or `auto` chose it on this machine and the
 * system reports its memory; otherwise in the machine's memory.
 */
export async function trainingRoom(choice: ProviderChoice): Promise<Room> {
  if (choice === 'cpu') return machineRoom();
  if (choice === 'auto' && (await fastestKept(cacheFolder())) === undefined) return machineRoom();
  const [device] = await graphicsDevices();
  if (device?.memory === undefined) return machineRoom();
  return { bytes: device.memory * (device.shared ? mostOfMemory : mostOfDevice), device: device.name };
}
