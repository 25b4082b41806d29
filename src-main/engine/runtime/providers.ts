import { existsSync, readdirSync } from 'node:fs';
import { listSupportedBackends } from './onnxRuntime.ts';
import { problem } from '../../../src-shared/messages/index.ts';

import { providers, type Provider } from '../../../src-shared/domain/providers.ts';

/** The providers this build of ONNX Runtime brings along; a GPU one can still find no device. */
export function bundledProviders(): Provider[] {
  const known = new Set(
    listSupportedBackends()
      .filter(({ bundled }) => bundled)
      .map(({ name }) => name),
  );
  return providers.filter((provider) => provider === 'cpu' || known.has(provider));
}

/** The bundled providers that may have a device here. WebGPU would also take software in a GPU's place, slower than the CPU's own. */
export function plausibleProviders(): Provider[] {
  return bundledProviders().filter((provider) => provider !== 'webgpu' || hasGpu());
}

function hasGpu(): boolean {
  if (process.platform !== 'linux') return true;
  const nodes = existsSync('/dev/dri') ? readdirSync('/dev/dri') : [];
  return nodes.some((name) => name.startsWith('renderD'));
}

/** The error for a provider that was asked for by name and does not work. */
export function providerMissing(provider: Provider, cause?: unknown): Error {
  const others = bundledProviders().filter((name) => name !== provider);
  return problem('provider.missing', { provider, available: others.join(', ') }, cause);
}
