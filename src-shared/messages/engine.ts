/** Graphs, sessions, providers. */
export const engineMessages = {
  'provider.missing': (d: { provider: string; available: string }) =>
    `The provider "${d.provider}" is not available on this machine; use one of: ${d.available}.`,
  'provider.wrong': (d: { provider: string }) =>
    `The provider "${d.provider}" computes wrong numbers on this graphics device, so the CPU is used instead; a newer driver may fix that.`,
  'provider.slow': (d: { provider: string; times: number }) =>
    `The provider "${d.provider}" took ${d.times} times as long as the CPU in a trial, so the CPU is used instead; choose "${d.provider}" by name to use it anyway.`,
  'provider.unusable': (d: { provider: string; why: string }) =>
    `The provider "${d.provider}" failed in a trial (${d.why}), so it is not used; a newer graphics driver may fix that.`,
  'provider.failed': (d: { provider: string; why: string }) =>
    `The provider "${d.provider}" failed during the work (${d.why}); choose "auto" or "cpu" to continue, and update the graphics driver.`,
  'provider.fellBack': (d: { provider: string; why: string }) =>
    `The provider "${d.provider}" failed during the work (${d.why}); the CPU takes over.`,
  'provider.outOfMemory': (d: { provider: string }) =>
    `The graphics device has too little memory for this (provider "${d.provider}"). Try, in this order: a batch of 1, no training of the text encoder, a smaller size, a smaller model such as BK-SDM; or choose the provider "cpu".`,
  'provider.byBlock': (d: { provider: string }) =>
    `The graphics device has too little memory to keep all values for the backward pass (provider "${d.provider}"), so blocks of the network are computed twice; a step takes about a third longer.`,
  'provider.byRow': (d: { provider: string }) =>
    `The graphics device has too little memory for a whole batch (provider "${d.provider}"), so its pictures are computed one at a time; what is learned stays the same, and a step takes longer.`,
  'provider.byPicture': (d: { provider: string }) =>
    `The graphics device has too little memory for several pictures at once (provider "${d.provider}"), so they are computed one at a time, which takes a little longer.`,
  'provider.byTurns': () =>
    `The graphics device has too little memory for all networks of these pictures at once, so they are loaded in turn at every step, which takes longer. Without the base model's guidance, or with fewer regions, they may fit.`,
  'provider.byShape': (d: { provider: string }) =>
    `The graphics device has too little memory for pictures of several shapes (provider "${d.provider}"), so the network is prepared anew for each shape; what is learned stays the same, and steps take longer.`,
  'provider.precision': (d: { provider: string; precision: string; why: string }) =>
    `The provider "${d.provider}" can't compute in ${d.precision} here (${d.why}), so it computes in f32, which needs more memory.`,
  'provider.cpuPrecision': (d: { precision: string }) =>
    `The CPU computes in f32, since ${d.precision} would only be slower there.`,
  'gpu.system': (d: { system: string }) =>
    `CUDA can be added on Linux with an Intel or AMD processor (linux-x64), not on ${d.system}; use the providers that are included (likeness doctor shows them).`,
  'gpu.version': (d: { wanted: string; found: string }) =>
    `The CUDA provider belongs to ONNX Runtime ${d.wanted}, but this is ${d.found}; update Likeness and try again.`,
  'gpu.noSource': (d: { files: string }) =>
    `It is not known where the packages are. Set LIKENESS_PACKAGES to the address under which your Python package index keeps its files, or to a folder that holds ${d.files}.`,
  'gpu.noFile': (d: { file: string }) =>
    `${d.file} is not there; fetch it with pip download, or correct LIKENESS_PACKAGES.`,
  'gpu.package': (d: { file: string; library: string }) =>
    `${d.file} lacks ${d.library}, so it is not the expected package; delete it and try again.`,
  'gpu.missing': (d: { libraries: string }) =>
    `These CUDA libraries are missing: ${d.libraries}; run likeness gpu add cuda again.`,
  'provider.memoryFellBack': (d: { provider: string }) =>
    `The graphics device has too little memory for this (provider "${d.provider}"), so the CPU takes over, more slowly. A batch of 1, no training of the text encoder or a smaller size would fit better.`,
};
