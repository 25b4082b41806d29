import { readHubId } from '../../../src-shared/domain/hubId.ts';
import { command } from '../command.ts';
import { hubOptions } from '../hubOptions.ts';
import { badValue, operand, text } from '../options.ts';

export const download = command({
  name: 'download',
  summary: 'download a model from the Hub, so that --model takes its id',
  usage: 'ID [OPTIONS]',
  examples: ['likeness download nota-ai/bk-sdm-small'],
  options: {
    id: operand(text('ID', 'owner/name, or owner/name@revision')),
    login: hubOptions.login,
  },
  request: ({ id, login = false }) => {
    const read = readHubId(id);
    if (read) return { ...read, login };
    throw badValue('ID', id, 'owner/name or owner/name@revision');
  },
  run: async (id, context) => {
    const { fetchModel } = await import('../../features/download/fetchModel.ts');
    const path = await fetchModel(id, context);
    return { fields: { path }, text: `${id.repository} is at ${path}` };
  },
});
