import { input } from '../graph/build.ts';
import { asF32, f32 } from '../tensor/tensor.ts';
import { Session } from './session.ts';
import { Tensor } from './tensor.ts';

/**
 * Copies f32 arrays between this program's memory and a WebGPU device's, by graphs that change nothing: ONNX Runtime gives no buffer
 * by itself, and its own getter aborts the process.
 */
export class DeviceCopies {
  private readonly sessions = new Map<string, Promise<Session>>();

  /** A new buffer on the device with these numbers. Dispose of it. */
  async upload(data: Float32Array): Promise<Tensor> {
    const session = await this.session(data.length, true);
    const { value } = await session.run({ x: Tensor.from({ dtype: 'f32', shape: [data.length], data }) });
    return value as Tensor;
  }

  /** A new buffer of zeros. */
  zeros(length: number): Promise<Tensor> {
    return this.upload(f32([length]).data);
  }

  /** Writes a buffer's numbers to `into`. */
  async download(tensor: Tensor, into: Float32Array): Promise<void> {
    const session = await this.session(into.length, false);
    const { value } = await session.run({ x: tensor });
    into.set(asF32(value?.host).data);
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).dispose();
    this.sessions.clear();
  }

  private session(length: number, keepOnDevice: boolean): Promise<Session> {
    const key = `${length} ${keepOnDevice}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const graph = { outputs: { value: input('x', [length]) } };
    const made = Session.untried('webgpu', graph, false, { keepOnDevice });
    this.sessions.set(key, made);
    return made;
  }
}
