/** Weight files and model folders. */
export const checkpointMessages = {
  'file.missing': (d: { file: string }) => `${d.file} is not there; check the path.`,
};
