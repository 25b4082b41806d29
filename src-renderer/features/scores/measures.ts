/** The figures of a checkpoint, in the order they are shown. */
export const measures = ['subject', 'prompt', 'variety', 'leak'] as const;
