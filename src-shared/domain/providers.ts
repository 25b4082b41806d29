/** What can execute a graph; `auto` takes the fastest that gives the CPU's numbers here. */
export const providers = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;
export type Provider = (typeof providers)[number];

export const providerChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type ProviderChoice = (typeof providerChoices)[number];

/** Those that ONNX Runtime's package brings along for a system; none brings CUDA. */
const bundledOn: Readonly<Record<string, readonly ProviderChoice[]>> = {
  linux: ['webgpu'],
  win32: ['webgpu', 'dml'],
  darwin: ['webgpu', 'coreml'],
};

/** What can be chosen on a system, and what is chosen already. */
export function choicesOn(platform: string, chosen: ProviderChoice): ProviderChoice[] {
  const there: readonly ProviderChoice[] = ['auto', 'cpu', ...(bundledOn[platform] ?? [])];
  return providerChoices.filter((choice) => there.includes(choice) || choice === chosen);
}
