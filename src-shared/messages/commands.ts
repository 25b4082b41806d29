/** Command line. */
export const commandMessages = {
  'usage.unknownOption': (d: { option: string }) => `Unknown option ${d.option}; see --help.`,
};
