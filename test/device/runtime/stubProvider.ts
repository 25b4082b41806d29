import { vi } from 'vitest';
import type * as Real from '../../../src-main/engine/runtime/onnxRuntime.ts';

/** What a device does that is not here: after its trial runs (`from`), or from the first run on. */
export interface Stub {
  fault: 'none' | 'wrong' | 'throws' | 'outOfMemory' | 'shortOfMemory' | 'slow' | 'noSession';
  /** Runs that come out right before the fault, over all sessions. */
  rightRuns: number;
  /** Runs that are short of memory before one fits. */
  shortRuns: number;
  /** What it is called; as "webgpu" it keeps tensors, in host memory here. */
  name: 'dml' | 'webgpu';
}

export const stub: Stub = { fault: 'none', rightRuns: 0, shortRuns: 1, name: 'dml' };
let runs = 0;

export function setStub(
  fault: Stub['fault'],
  rightRuns = 0,
  name: Stub['name'] = 'dml',
  shortRuns = 1,
): void {
  Object.assign(stub, { fault, rightRuns, name, shortRuns });
  runs = 0;
}

/**
 * Milliseconds that `performance.now` tells: each run takes one, and a slow device's 2,000. By the machine's own clock it would depend
 * on what else the machine does whether `auto` takes the stub.
 */
export const clock = { now: 0 };

/** Runs so far, those of the trial included. */
export const stubRuns = (): number => runs;

let sessions = 0;

/** Sessions on the stub that are not released. */
export const stubSessions = (): number => sessions;

/** ONNX Runtime with one provider besides the CPU's: the CPU computes for it, and does what `stub` says. */
export async function withStub(load: () => Promise<typeof Real>): Promise<typeof Real> {
  const real = await load();
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now);
  const create = async (...words: unknown[]): Promise<Real.InferenceSession> => {
    const [model, options] = words as [Uint8Array, Real.InferenceSession.SessionOptions | undefined];
    const onStub =
      options?.executionProviders?.some((one) => (typeof one === 'string' ? one : one.name) === stub.name) ??
      false;
    if (onStub && stub.fault === 'noSession') throw new Error('no such device');
    const { preferredOutputLocation: _, ...others } = options ?? {};
    const session = await real.InferenceSession.create(model, {
      ...(onStub ? others : options),
      executionProviders: onStub ? ['cpu'] : (options?.executionProviders ?? ['cpu']),
    });
    if (onStub) {
      sessions++;
      const release = session.release.bind(session);
      vi.spyOn(session, 'release').mockImplementation(() => {
        sessions--;
        return release();
      });
    }
    const run = session.run.bind(session) as (
      ...given: unknown[]
    ) => Promise<Real.InferenceSession.ReturnType>;
    vi.spyOn(session, 'run').mockImplementation(async (...given: unknown[]) => {
      const results = await run(...given);
      clock.now++;
      if (!onStub) return results;
      if (runs++ < stub.rightRuns) return results;
      if (stub.fault === 'throws') throw new Error('DXGI_ERROR_DEVICE_REMOVED: the device was removed');
      if (stub.fault === 'outOfMemory')
        throw new Error('[Invalid Buffer "output"] is invalid due to a previous error.');
      if (stub.fault === 'shortOfMemory') {
        if (--stub.shortRuns === 0) stub.fault = 'none';
        throw new Error('[Invalid Buffer "output"] is invalid due to a previous error.');
      }
      if (stub.fault === 'slow') clock.now += 2000;
      if (stub.fault === 'wrong')
        for (const { data } of Object.values(results))
          if (data instanceof Float32Array) data[0] = (data[0] ?? 0) * 1.05 + 0.5;
      return results;
    });
    return session;
  };
  return {
    ...real,
    listSupportedBackends: () => [{ name: stub.name, bundled: true }],
    InferenceSession: new Proxy(real.InferenceSession, {
      get: (target, key) => (key === 'create' ? create : (Reflect.get(target, key) as unknown)),
    }),
  };
}
