import type { CompressResult } from '../../features/compression/compress.ts';
import { command } from '../command.ts';
import { compressOptions, compressRequest } from './compressOptions.ts';

export const compress = command({
  name: 'compress',
  summary: "make a smaller model by taking blocks out of a model's U-Net",
  usage: '--model TEACHER (--to KIND|--remove A,B) --out DIR [--advise] [OPTIONS]',
  examples: [
    'likeness compress --model stable-diffusion-v1-4 --to bk-small --out bk-small',
    'likeness compress --model stable-diffusion-v1-4 --remove down_blocks.3.1,up_blocks.0.1,mid_block --out mine',
    'likeness compress --model stable-diffusion-v1-4 --advise --out advice',
  ],
  options: compressOptions,
  request: compressRequest,
  run: async (request, context) => {
    const { compress } = await import('../../features/compression/compress.ts');
    const result = await compress(request, context);
    return { fields: { ...result }, text: describe(result) };
  },
});

function describe({ path, removed, before, after, advice }: CompressResult): string {
  const cost = ({ parameters, macs }: CompressResult['before']): string =>
    `${(parameters / 1e6).toFixed(1)} M parameters, ${(macs.layers / 1e9).toFixed(1)} GMACs a call (and ${(macs.attention / 1e9).toFixed(1)} in attention's own products)`;
  const percent = (change: number): string => `${Number((change * 100).toPrecision(2))} %`.padStart(8);
  const table = advice
    ? [
        `Change of the noise prediction without a block (${advice.probes} probes; picture in ${advice.picture}):`,
        ...[...advice.blocks, ...advice.students].map(
          ({ name, change, saves }) =>
            `  ${name.padEnd(16)}${percent(change)}   saves ${(saves.parameters / 1e6).toFixed(1)} M parameters, ${(saves.macs.layers / 1e9).toFixed(1)} GMACs`,
        ),
      ]
    : [];
  return [
    ...(after ? [`Written  ${path}, without ${removed.join(', ')}`] : []),
    `Before   ${cost(before)}`,
    ...(after ? [`After    ${cost(after)}`] : []),
    ...table,
  ].join('\n');
}
