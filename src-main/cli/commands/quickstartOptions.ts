import { existsSync } from 'node:fs';
import path from 'node:path';
import { problem } from '../../../src-shared/messages/index.ts';
import type { ProviderChoice } from '../../engine/runtime/providers.ts';
import type { QuickstartRequest } from '../../features/quickstart/request.ts';
import { finetuneDefaults } from '../../features/training/request.ts';
import { file, integer, word, type Given } from '../options.ts';
import { defined, provider } from '../shared.ts';
import { sampleSubject, shippedModel } from '../../shipped.ts';

const folderName = 'likeness-quickstart';

export const quickstartOptions = {
  photos: file('DIR', 'a folder with 4 to 6 photos of your subject', { fallback: 'a sample subject' }),
  class: word('NOUN', 'what the photos show: dog, mug, backpack'),
  out: file('DIR', 'folder for everything; one that a quickstart began is gone on with', {
    fallback: `a new ${folderName}`,
  }),
  model: file('PATH', 'diffusers folder or single file to start from', { fallback: 'the shipped model' }),
  steps: integer('N', 'optimizer steps', { min: 1, max: 10_000_000, fallback: "the model's own" }),
  provider: provider(finetuneDefaults.provider),
};

/** Throws `usage.…`: photos of one's own need a class noun, and the other way round. */
export function quickstartRequest({
  photos,
  class: classNoun,
  ...given
}: Given<typeof quickstartOptions>): QuickstartRequest & { readonly provider: ProviderChoice } {
  const { out, model = shippedModel, steps, provider = finetuneDefaults.provider } = given;
  const missing = (option: string): Error =>
    problem('usage.missingOption', { option, command: 'quickstart' });
  if (photos !== undefined && classNoun === undefined) throw missing('--class');
  if (photos === undefined && classNoun !== undefined) throw missing('--photos');
  const subject = photos !== undefined && classNoun !== undefined ? { photos, classNoun } : sampleSubject();
  return { ...subject, out: out ?? newFolder(), model, provider, ...defined({ steps }) };
}

/** `likeness-quickstart`, or with the first number that is free. */
function newFolder(): string {
  let folder = path.resolve(folderName);
  for (let number = 2; existsSync(folder); number++) folder = path.resolve(`${folderName}-${number}`);
  return folder;
}
