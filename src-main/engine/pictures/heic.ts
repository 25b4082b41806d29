import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Pixels } from './bmp.ts';

/**
 * The thread runs this after libheif itself. libheif turns the picture as the file says (`irot`, `imir`) and joins its tiles; its
 * list holds no depth maps, and a Live Photo's sequence is not in this file.
 */
const decoding = `
  const { parentPort, workerData } = require('node:worker_threads');
  const decoder = new (module.exports()).HeifDecoder();
  const pictures = decoder.decode(workerData);
  const picture = pictures.find((one) => one.is_primary()) ?? pictures[0];
  if (!picture) throw new Error('no picture in it');
  const width = picture.get_width();
  const height = picture.get_height();
  picture.display({ data: new Uint8ClampedArray(4 * width * height), width, height }, (shown) => {
    if (!shown) throw new Error('its picture cannot be decoded');
    parentPort.postMessage({ width, height, data: new Uint8Array(shown.data.buffer) });
  });
`;

const decoded = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  data: z.instanceof(Uint8Array),
});

/**
 * The main picture of a HEIC file, upright, in its own colours. libheif, as WebAssembly, runs in a thread of its own: it takes seconds,
 * and is ended when it takes more than `seconds`. Throws a plain Error.
 */
export async function decodeHeic(file: Buffer, seconds: number): Promise<Pixels> {
  const library = createRequire(import.meta.url).resolve('libheif-js/libheif-wasm/libheif-bundle.js');
  const thread = new Worker(`${readFileSync(library, 'utf8')}\n;${decoding}`, {
    eval: true,
    workerData: file,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Pixels>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it took over ${seconds} s to decode`)), 1000 * seconds);
      thread.once('message', (message) => resolve(decoded.parse(message)));
      thread.once('error', reject);
      thread.once('exit', () => reject(new Error('its decoder ended')));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
