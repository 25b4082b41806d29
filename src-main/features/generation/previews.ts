import type { PreviewEvent } from '../../../src-shared/domain/workerMessages.ts';
import { unstack } from '../../engine/pipelines/batches.ts';
import { encodePng } from '../../engine/pictures/png.ts';
import type { SamplingOptions } from '../../engine/pipelines/textToImage.ts';
import type { OpenedModel } from './openForGeneration.ts';

/** Seconds between two previews of a batch: nobody could follow more. */
const pause = 0.05;

/** Reports previews while pictures are made: after a step, but no more often than one can follow. */
export async function previews(
  opened: Pick<OpenedModel, 'colours'>,
  report: (event: PreviewEvent) => void,
): Promise<NonNullable<SamplingOptions['onPreview']>> {
  const colours = await opened.colours();
  let last = -Infinity;
  return (clean, first, step, steps) => {
    const now = performance.now() / 1000;
    // The picture itself follows right after the last step.
    if (now - last < pause || step === steps) return;
    last = now;
    for (let i = 0; i < (clean.shape[0] as number); i++)
      void encodePng(colours.picture(unstack(clean, i))).then((png) =>
        report({
          type: 'preview',
          index: first + i,
          ...{ step, steps },
          image: `data:image/png;base64,${png.toString('base64')}`,
        }),
      );
  };
}
