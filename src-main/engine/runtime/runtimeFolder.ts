import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of ONNX Runtime's libraries for this system, where it also looks for further providers. */
export function runtimeFolder(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** The libraries of the CUDA provider, which the package does not include. */
export const cudaProviderFiles = [
  'libonnxruntime_providers_shared.so',
  'libonnxruntime_providers_cuda.so',
] as const;

/** Whether the CUDA provider was added (`likeness gpu add cuda`). */
export function cudaIsAdded(): boolean {
  return cudaProviderFiles.every((name) => existsSync(join(runtimeFolder(), name)));
}
