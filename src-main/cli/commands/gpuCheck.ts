import { checkParts, type CheckPartRequest, type GpuCheckRequest } from '../../features/gpuCheck/request.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { shippedModel, version } from '../../shipped.ts';
import { command } from '../command.ts';
import { choice, file, flag, integer, type Given } from '../options.ts';
import { plural } from '../../../src-shared/plural.ts';

const options = {
  out: file('FILE', 'the page to write', { fallback: 'gpu-check.md' }),
  provider: choice(['webgpu', 'cuda', 'dml', 'coreml'], 'provider to check', {
    fallback: 'the fastest that computes correctly here',
  }),
  minutes: integer('N', 'time limit: no part starts after it, and a running one is stopped', {
    min: 1,
    max: 1440,
    fallback: 8,
  }),
  small: flag('narrow networks instead of the published shapes, for software drivers'),
  part: choice(checkParts, 'only this part, after a look at the device', { fallback: 'all' }),
  findings: file('FILE', 'run the part in this process and add what it finds to FILE, as JSON'),
};

export const gpuCheckCommand = command({
  name: 'gpu-check',
  summary: 'check the graphics device: right numbers, memory, speed; writes a page to send with a report',
  usage: '[OPTIONS]',
  examples: ['likeness gpu-check', 'likeness gpu-check --provider dml --out page.md'],
  options,
  request: (given) => requestOf(given),
  run: async (request, context) => {
    if ('findings' in request) {
      const { checkPart } = await import('../../features/gpuCheck/part.ts');
      await checkPart(request, shippedModel);
      return { fields: { part: request.part }, text: `Written to ${request.findings}` };
    }
    const { gpuCheck } = await import('../../features/gpuCheck/check.ts');
    const program = [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
    const result = await gpuCheck(request, context, { command: program, version });
    const { page, right, wrong, unfinished } = result;
    const text = `${plural(right, 'finding is', 'findings are')} right, ${wrong} wrong, ${plural(unfinished, 'part', 'parts')} did not end. The page: ${page}`;
    return { fields: { ...result }, text };
  },
});

/** Seconds for starting, for ending the last part and removing gigabytes of random weights, and for the page: however long the check. */
const reserve = 15;

function requestOf({
  out = 'gpu-check.md',
  provider,
  minutes = 8,
  small = false,
  part,
  findings,
}: Given<typeof options>): GpuCheckRequest | CheckPartRequest {
  if (findings === undefined)
    return { out, provider, small, seconds: 60 * minutes - reserve, parts: part ? [part] : checkParts };
  if (part === undefined) throw problem('usage.missingOption', { option: '--part', command: 'gpu-check' });
  return { part, findings, provider, small };
}
