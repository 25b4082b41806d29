/** Graphs, sessions, providers. */
export const engineMessages = {
  'provider.missing': (d: { provider: string; available: string }) =>
    `The provider "${d.provider}" is not available on this machine; use one of: ${d.available}.`,
};
