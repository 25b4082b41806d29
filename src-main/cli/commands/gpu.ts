import { problem } from '../../../src-shared/messages/index.ts';
import { command } from '../command.ts';
import { choice, operand } from '../options.ts';

const what = { provider: operand(choice(['cuda'], 'the provider')) };

export const gpuAdd = command({
  name: 'gpu add',
  summary: 'fetch a provider that is not included: cuda, for NVIDIA cards on Linux (1.3 GB)',
  usage: 'cuda',
  examples: ['likeness gpu add cuda'],
  options: what,
  request: ({ provider }) => provider,
  run: async (provider, context) => {
    const { addCuda, cudaVerdict } = await import('../../features/cuda/cuda.ts');
    const { folder, missing } = await addCuda({}, context);
    if (missing.length > 0) throw problem('gpu.missing', { libraries: missing.join(', ') });
    const verdict = await cudaVerdict();
    const text =
      verdict === undefined
        ? `Added, in ${folder}. likeness doctor tries it.`
        : verdict.state === 'right'
          ? `Added, in ${folder}, and it works.`
          : `Added, in ${folder}, but it does not work here; likeness doctor says why.`;
    return { fields: { provider, folder }, text };
  },
});

export const gpuRemove = command({
  name: 'gpu remove',
  summary: 'delete a provider that was fetched',
  usage: 'cuda',
  examples: ['likeness gpu remove cuda'],
  options: what,
  request: ({ provider }) => provider,
  run: async (provider) => {
    const { removeCuda } = await import('../../features/cuda/cuda.ts');
    const removed = removeCuda();
    return { fields: { provider, removed }, text: removed ? 'Removed.' : 'There was nothing to remove.' };
  },
});
