import { sharp } from '../../sharp.ts';
import type { ScoredCheckpoint, RunScore } from '../../../src-shared/domain/runScore.ts';
import { canDrawText, escaped } from '../../engine/pictures/labels.ts';

const width = 640;
const height = 480;
const margin = 64;

/** A PNG of fidelity (up) against editability (right): a point for each checkpoint, joined in order, with the pick filled. */
export async function drawCurve(report: RunScore): Promise<Buffer> {
  const { checkpoints, pick, knee } = report;
  const x = axis(
    checkpoints.map(({ reach }) => reach.editability),
    margin,
    width - margin,
  );
  const y = axis(
    checkpoints.map(({ reach }) => reach.fidelity),
    height - margin,
    margin,
  );
  const at = ({ reach }: ScoredCheckpoint): [number, number] => [
    x.place(reach.editability),
    y.place(reach.fidelity),
  ];
  const labelled = await canDrawText();
  const text = (left: number, top: number, words: string, more = ''): string =>
    labelled
      ? `<text x="${left}" y="${top}" font-family="sans" font-size="13" fill="#303030" ${more}>${escaped(words)}</text>`
      : '';
  const bottom = height - margin;
  const marks = [
    ...x.marks.map((share) => text(x.place(share), bottom + 20, percent(share), 'text-anchor="middle"')),
    ...y.marks.map((share) => text(margin - 8, y.place(share) + 4, percent(share), 'text-anchor="end"')),
  ];
  const points = checkpoints.map((one) => {
    const [cx, cy] = at(one);
    const fill = one.step === pick ? '#c2410c' : 'white';
    const name = [`step ${one.step}`, one.step === pick && 'pick', one.step === knee && 'knee']
      .filter(Boolean)
      .join(', ');
    return `<circle cx="${cx}" cy="${cy}" r="6" fill="${fill}" stroke="#c2410c" stroke-width="2"/>${text(cx + 10, cy - 8, name)}`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<rect width="100%" height="100%" fill="white"/>
<path d="M${margin} ${margin}V${bottom}H${width - margin}" fill="none" stroke="#909090"/>
<polyline points="${checkpoints.map((one) => at(one).join()).join(' ')}" fill="none" stroke="#c2410c" stroke-width="2" opacity="0.5"/>
${points.join('\n')}
${marks.join('\n')}
${text(width / 2, height - 16, `editability: ${report.editabilityBy}, as a share of the base model's`, 'text-anchor="middle"')}
${text(margin, margin - 24, `fidelity: ${report.fidelityBy}; 0% is the base model, 100% the photos`)}
</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

/** A scale that shows all values with some margin, and where its numbers go. */
function axis(
  values: readonly number[],
  from: number,
  to: number,
): { place: (value: number) => number; marks: number[] } {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.15 * (most - least), 0.02);
  const [low, high] = [least - room, most + room];
  const place = (value: number): number => Math.round(from + ((value - low) / (high - low)) * (to - from));
  return { place, marks: [0, 0.25, 0.5, 0.75, 1].map((share) => low + share * (high - low)) };
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
