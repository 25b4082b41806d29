/** LoRA files of other tools, and embeddings. */
export const loras = {
  title: 'LoRA files and embeddings',
  kinds: { lora: 'LoRA', embedding: 'Embedding' },
  called: (names: string) => `write “${names}” in the prompt`,
  inPicture: 'LoRA files and embeddings',
  add: 'Add a LoRA file or an embedding',
  file: 'File',
  gone: 'removed file',
  partial: 'Use what fits',
  partialHint:
    'A file made for another model may fit in part. What is left out is listed by name; turned off, such a file is refused.',
};
