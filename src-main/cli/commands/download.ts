import { existsSync, renameSync } from 'node:fs';
import { downloadPlace, readHubId } from '../../features/download/hubCache.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { command } from '../command.ts';
import { operand, text } from '../options.ts';

export const download = command({
  name: 'download',
  summary: 'fetch a model from the Hub, so that --model takes its id',
  usage: 'ID [OPTIONS]',
  examples: ['likeness download nota-ai/bk-sdm-small'],
  options: { id: operand(text('ID', 'owner/name, or owner/name@revision')) },
  request: ({ id }) => {
    const read = readHubId(id);
    if (read) return read;
    throw problem('usage.badValue', {
      option: 'ID',
      value: id,
      expected: 'owner/name or owner/name@revision',
    });
  },
  run: async (id, { report, signal }) => {
    const path = downloadPlace(id);
    if (!existsSync(path)) {
      const { download } = await import('../../features/download/download.ts');
      const { hubAddress } = await import('../../features/download/hub.ts');
      const request = { hub: hubAddress(), ...id, out: `${path}.part` };
      await download(request, {
        signal,
        report: (event) => {
          if (event.type !== 'file') report(event);
        },
      });
      renameSync(request.out, path);
    }
    return { fields: { path }, text: `${id.repository} is at ${path}` };
  },
});
