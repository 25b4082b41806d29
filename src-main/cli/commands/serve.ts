import { once } from 'node:events';
import { command } from '../command.ts';
import { file, integer, text } from '../options.ts';
import { refuseTogether } from '../shared.ts';
import { defaultLibrary } from '../../places.ts';
import { bundleFolder, shippedFiles } from '../../shipped.ts';

export const serve = command({
  name: 'serve',
  summary: 'the studio in a browser on this machine',
  usage: '[--port N] [--library DIR] [OPTIONS]',
  examples: ['likeness serve', 'likeness serve --port 4242 --library pictures/likeness'],
  options: {
    port: integer('N', 'the port; any free one when left out', { min: 0, max: 65535 }),
    library: file('DIR', 'the folder for photos, runs and pictures; Pictures/Likeness when left out'),
    host: text('ADDRESS', 'listen at this address instead of the loopback; needs --tls-cert and --tls-key'),
    tlsCert: file('FILE', 'certificate (PEM), for --host'),
    tlsKey: file('FILE', 'its key (PEM)'),
  },
  request: ({ port = 0, library = defaultLibrary(), host = '127.0.0.1', tlsCert, tlsKey }) => {
    if ((tlsCert === undefined) !== (tlsKey === undefined))
      refuseTogether('TLS', { 'one file alone': tlsCert ?? tlsKey }, 'give --tls-cert and --tls-key');
    return {
      ...{ port, host, folder: library },
      ...(tlsCert !== undefined && tlsKey !== undefined && { tls: { cert: tlsCert, key: tlsKey } }),
    };
  },
  run: async (request, { report, signal }) => {
    const { serve: start } = await import('../../serve.ts');
    const { url, close } = await start({ ...request, shipped: shippedFiles(), dist: bundleFolder() });
    report({ type: 'note', message: `The studio is open at ${url} (Ctrl-C ends it)` });
    if (!signal.aborted) await once(signal, 'abort');
    await close();
    throw signal.reason as Error;
  },
});
