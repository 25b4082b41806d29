/** What can execute a graph; `auto` takes the fastest that gives the CPU's numbers here. */
export const providers = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;
export type Provider = (typeof providers)[number];

export const providerChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type ProviderChoice = (typeof providerChoices)[number];

/** The providers in ONNX Runtime's package for a system; CUDA is in none. */
const bundledOn: Readonly<Record<string, readonly ProviderChoice[]>> = {
  linux: ['webgpu'],
  win32: ['webgpu', 'dml'],
  darwin: ['webgpu', 'coreml'],
};

/** The choices on a system, and the one that is already chosen. */
export function choicesOn(platform: string, chosen: ProviderChoice): ProviderChoice[] {
  const there: readonly ProviderChoice[] = ['auto', 'cpu', ...(bundledOn[platform] ?? [])];
  return providerChoices.filter((choice) => there.includes(choice) || choice === chosen);
}
