import { expect, it, vi } from 'vitest';
import { providersToTry } from '../../src-main/engine/runtime/providers.ts';

const bundled = vi.hoisted(() => ({ names: [] as string[] }));
vi.mock('../../src-main/engine/runtime/onnxRuntime.ts', () => ({
  listSupportedBackends: () => bundled.names.map((name) => ({ name, bundled: name !== 'cuda' })),
}));

it.each([
  ['a Mac', ['cpu', 'webgpu', 'coreml'], ['webgpu']],
  ['a Mac without WebGPU', ['cpu', 'coreml'], ['coreml']],
  ['Windows', ['cpu', 'dml', 'webgpu'], ['dml', 'webgpu']],
  ['Linux, with or without a device file', ['cpu', 'webgpu', 'cuda'], ['webgpu']],
])('on %s, these are tried', (_, names, tried) => {
  bundled.names = names;
  expect(providersToTry().sort()).toEqual(tried);
});
