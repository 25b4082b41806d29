import { listSupportedBackends } from './onnxRuntime.ts';
import { cudaIsAdded } from './runtimeFolder.ts';
import { problem } from '../../../src-shared/messages/index.ts';

import { providers, type Provider } from '../../../src-shared/domain/providers.ts';

/** The providers this build of ONNX Runtime brings along, and one that was added; a GPU one can still find no device. */
export function bundledProviders(): Provider[] {
  const known = new Set(
    listSupportedBackends()
      .filter(({ bundled }) => bundled)
      .map(({ name }) => name),
  );
  return providers.filter(
    (provider) => provider === 'cpu' || known.has(provider) || (provider === 'cuda' && cudaIsAdded()),
  );
}

/**
 * What `auto` tries besides the CPU. Containers and WSL without /dev/dri are tried too: only a trial tells. On a Mac only WebGPU
 * is tried: Core ML lacks norms, softmax and slices, so a U-Net would fall into hundreds of pieces.
 */
export function providersToTry(): Provider[] {
  const there = bundledProviders().filter((provider) => provider !== 'cpu');
  return there.includes('webgpu') ? there.filter((provider) => provider !== 'coreml') : there;
}

/** The error for a provider that was asked for by name and does not work. */
export function providerMissing(provider: Provider, cause?: unknown): Error {
  const others = bundledProviders().filter((name) => name !== provider);
  return problem('provider.missing', { provider, available: others.join(', ') }, cause);
}
