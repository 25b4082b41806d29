import { LikenessError, messages, problem } from '../../../src-shared/messages/index.ts';
import { providerNotice } from './notices.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';

/**
 * Whether a device had too little memory. Dawn (WebGPU) reports it late: the first use of a buffer that was never made fails "due
 * to a previous error". The other patterns are of Direct3D, CUDA, Metal and the C++ library.
 */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof LikenessError && error.code === 'provider.outOfMemory') return true;
  return (
    /out[ _-]?of[ _-]?memory|OutOfMemory|Invalid Buffer|due to a previous error|8007000E|bad_alloc/i.test(
      textOf(error),
    ) || /Failed to allocate memory|Allocation.*failed|cudaErrorMemoryAllocation/i.test(textOf(error))
  );
}

/** The first line of an error's cause, without the source lines that ONNX Runtime puts before it. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const line = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '';
  return line
    .replace(/^.*\.(cc|cpp|h):\d+ .*?\) /, '')
    .replace(/^\/.*was false\. /, '')
    .replace(/[.\s]+$/, '');
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${textOf(error.cause)}`;
}

/** Whether an error is the device's own, and not due to what it was asked to do. */
export function isDeviceFailure(error: unknown): boolean {
  return (
    error instanceof LikenessError &&
    (error.code === 'provider.failed' || error.code === 'provider.outOfMemory')
  );
}

/** The error of a device that failed, for a person. */
export function deviceProblem(provider: Provider, error: unknown): Error {
  if (isOutOfMemory(error)) return problem('provider.outOfMemory', { provider }, error);
  return problem('provider.failed', { provider, why: reasonOf(error) }, error);
}

/** Tells the person that the CPU takes over from a device that failed. */
export function tellFallBack(provider: Provider, error: unknown): void {
  providerNotice(
    isOutOfMemory(error)
      ? messages['provider.memoryFellBack']({ provider })
      : messages['provider.fellBack']({ provider, why: reasonOf(error) }),
  );
}
