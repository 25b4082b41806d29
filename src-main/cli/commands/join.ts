import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import { modelsOfHub } from '../../features/download/hubCache.ts';
import { placeOf } from '../../features/generation/knownPlaces.ts';
import { cacheFolder } from '../../places.ts';
import { shippedModel } from '../../shipped.ts';
import { command } from '../command.ts';
import { badValue, model, integer, operand, text } from '../options.ts';
import { isAddress } from '../teamOptions.ts';
import { defined, provider } from '../shared.ts';
import { plural } from '../../../src-shared/plural.ts';

export const join = command({
  name: 'join',
  summary: 'work for a run that was started on another machine',
  usage: 'HOST:PORT --token TOKEN [OPTIONS]',
  examples: [
    'likeness distill --teacher sd-1.4 --student small --data pictures --out runs/small --workers 1 --accumulate 2 --listen 7070',
    'likeness join big-machine:7070 --token 0c7e… --model small --teacher sd-1.4',
  ],
  options: {
    address: operand(text('HOST:PORT', 'where the run listens, as it prints')),
    token: text('TOKEN', 'the token that the run prints', { fallback: 'LIKENESS_TOKEN in the environment' }),
    model: model('PATH', 'the model that is trained', {
      fallback: 'looked for among the models of this machine, else the run sends it',
    }),
    teacher: model('PATH', 'the teacher of a distillation', { fallback: 'looked for in the same way' }),
    threads: integer('N', 'threads to compute with', { min: 1, max: 1024, fallback: 'one per core' }),
    provider: provider('auto'),
  },
  request: ({ token = process.env['LIKENESS_TOKEN'], ...given }) => {
    if (!token) throw problem('usage.missingOption', { option: '--token', command: 'join' });
    const { address } = given;
    if (!isAddress(address)) throw badValue('HOST:PORT', address, 'as the run prints it');
    const keep = path.join(cacheFolder(), 'models');
    return { token, known: modelsHere, keep, ...defined(given), address: given.address };
  },
  run: async (request, context) => {
    // A worker that a run started ends with the run.
    process.on('disconnect', () => process.exit(1));
    const { join } = await import('../../features/join.ts');
    const { batches } = await join(request, context);
    return {
      fields: { batches },
      text: `The run has ended; ${plural(batches, 'batch was', 'batches were')} computed here.`,
    };
  },
});

/** Places to look for a model: where this hash was last seen, the shipped model, those from the Hub. */
function* modelsHere(hash: string): Generator<string> {
  const seen = placeOf(hash);
  if (seen !== undefined) yield seen;
  yield shippedModel;
  yield* modelsOfHub();
}
