import type { Finding } from './findings.ts';
import type { CheckPart } from './request.ts';
import { plural } from '../../../src-shared/plural.ts';

/** The result of one part. */
export interface Section {
  readonly part: CheckPart;
  readonly findings: readonly Finding[];
  /** Why it did not come to its end. */
  readonly ended: string | undefined;
  /** Its time was over: it may go on where it was. */
  readonly late?: boolean;
}

const titles: Readonly<Record<CheckPart, string>> = {
  device: 'Device',
  mini: 'The included model against the CPU',
  picture: 'A picture of the included model',
  half: 'The included model in f16 against f32 on the CPU',
  'tiny-speed': 'BK-SDM-Tiny’s shape: speed, memory, where a LoRA step’s time goes',
  sd1: 'Stable Diffusion 1’s shape against the CPU, 16² latents',
  'sd1-speed': 'Stable Diffusion 1’s shape: speed and memory',
  'sd1-picture': 'A picture of Stable Diffusion 1’s shape',
  tiny: 'BK-SDM-Tiny’s shape against the CPU, 16² latents',
  sd2: 'Stable Diffusion 2’s shape against the CPU, 16² latents',
};

interface Facts {
  readonly version: string;
  readonly provider: string | undefined;
  readonly seconds: number;
  readonly small: boolean;
}

export const pageTitle = '# Check of a graphics device';

/** The page in Markdown. */
export function pageOf(sections: readonly Section[], { version, provider, seconds, small }: Facts): string {
  const all = sections.flatMap(({ findings }) => findings);
  const count = (right: boolean): number => all.filter((finding) => finding.right === right).length;
  const unfinished = sections.filter(({ ended }) => ended !== undefined).length;
  const head = [
    pageTitle,
    '',
    `Likeness ${version}, ${new Date().toISOString().slice(0, 10)}, ${Math.round(seconds)} s. Checked: ${provider ?? 'nothing'}. ${plural(count(true), 'finding is', 'findings are')} right, ${count(false)} wrong, ${plural(unfinished, 'part', 'parts')} did not end.`,
    ...(small ? ['', 'Narrow networks stand in for the published shapes (`--small`).'] : []),
  ];
  return `${[...head, ...sections.flatMap(sectionLines)].join('\n')}\n`;
}

function sectionLines({ part, findings, ended }: Section): string[] {
  const rows = findings.map(
    ({ what, found, right }) => `| ${mark(right)} | ${cell(what)} | ${cell(found)} |`,
  );
  return [
    ...['', `## ${titles[part]}`, ''],
    ...(rows.length ? ['| | what | found |', '| --- | --- | --- |', ...rows] : []),
    ...(ended === undefined ? [] : [...(rows.length ? [''] : []), `This part did not end: ${ended}`]),
  ];
}

const mark = (right: boolean | undefined): string => (right === undefined ? ' ' : right ? '✓' : '✗');
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
