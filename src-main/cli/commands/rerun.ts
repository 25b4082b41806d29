import { command } from '../command.ts';
import { version } from '../../shipped.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { file, flag, model, operand, repeated, required } from '../options.ts';
import { defined, provider } from '../shared.ts';

export const rerun = command({
  name: 'rerun',
  summary: 'make a finetune again from its capsule, and compare the bits',
  usage: 'CAPSULE --out RUN [OPTIONS]',
  examples: [
    'likeness rerun runs/dog --out runs/dog-again',
    'likeness rerun dog/capsule.json --photos photos/dog --model sd-1.5 --out runs/dog-again',
  ],
  options: {
    capsule: operand(file('CAPSULE', 'the capsule.json of a run, or its folder')),
    out: required(file('RUN', 'the folder of the new run')),
    resume: flag('resume RUN after an interruption'),
    photos: file('DIR', 'where the photos are now', { fallback: 'where the run had them' }),
    otherPhotos: repeated(
      file('DIR', 'where the photos of the second subject are now; repeat for the third', {
        fallback: 'where the run had them',
      }),
    ),
    model: model('PATH', 'where the model is now', { fallback: 'where the run had it' }),
    classPhotos: file('DIR', 'where the pictures of the class are now'),
    initLora: file('PATH', 'where the LoRA that the run started from is now'),
    replay: file('FILE', 'where the recorded batches are now'),
    provider: provider('auto'),
  },
  request: ({ capsule, out, resume = false, ...places }) => ({ capsule, out, resume, ...defined(places) }),
  run: async (request, context) => {
    const feature = await import('../../features/training/rerun.ts');
    const result = await feature.rerun(request, context, version);
    const what = result.changed.join('; ') || 'nothing else that is known has changed';
    return {
      fields: { run: request.out, ...result },
      text: result.same
        ? `${request.out}: the same bits as ${request.capsule}`
        : `${request.out}: not the same bits as ${request.capsule}`,
      ...(!result.same && { failure: problem('capsule.otherBits', { file: request.capsule, what }) }),
    };
  },
});
