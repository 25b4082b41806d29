import { sharp } from '../../sharp.ts';
import { canDrawText, escaped } from '../../engine/pictures/labels.ts';
import type { Advice, Sensitivity } from './advise.ts';

const rowHeight = 22;
const left = 190;
const barRoom = 420;
const width = left + barRoom + 250;
const top = 70;
const colors = { down_blocks: '#4878a8', mid_block: '#7a5ca0', up_blocks: '#c8743c', student: '#5a8a4a' };

/**
 * The sensitivity table as a PNG: a bar for each block, on a logarithmic scale of the change, with what it saves beside it.
 * Without fonts on the machine, there are only bars.
 */
export async function drawSensitivity(title: string, { blocks, students }: Advice): Promise<Buffer> {
  const labelled = await canDrawText();
  const rows = [...blocks, ...students];
  const changes = rows.map(({ change }) => change).filter((change) => change > 0 && Number.isFinite(change));
  const low = Math.floor(Math.log10(Math.min(...changes, 0.1)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...changes, 1))));
  const x = (change: number): number =>
    (barRoom * (Math.min(high, Math.max(low, Math.log10(change))) - low)) / (high - low);
  const y = (row: number): number => top + row * rowHeight + (row >= blocks.length ? rowHeight : 0);
  const bottom = y(rows.length) + 4;

  const text = (at: number, line: number, words: string, more = ''): string =>
    labelled ? `<text x="${at}" y="${line}" ${more}>${escaped(words)}</text>` : '';
  const grid = Array.from({ length: high - low + 1 }, (_, i) => {
    const at = left + (barRoom * i) / (high - low);
    const label = text(at, top - 8, percent(10 ** (low + i)), 'text-anchor="middle" fill="#606060"');
    return `<line x1="${at}" y1="${top - 2}" x2="${at}" y2="${bottom}" stroke="#d8d8d8"/>${label}`;
  });
  const bars = rows.map((row, index) => {
    const line = y(index) + 15;
    const { parameters, macs } = row.saves;
    const saves = `${percent(row.change)}   −${(parameters / 1e6).toFixed(1)} M, −${(macs.layers / 1e9).toFixed(1)} GMAC`;
    return [
      text(left - 10, line, row.name, 'text-anchor="end"'),
      `<rect x="${left}" y="${y(index) + 3}" width="${Math.max(1, x(row.change))}" height="${rowHeight - 6}" fill="${colorOf(row, blocks)}"/>`,
      text(left + barRoom + 14, line, saves, 'fill="#404040"'),
    ].join('');
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 16}" font-family="sans-serif" font-size="13" fill="#202020">
<rect width="100%" height="100%" fill="white"/>
${text(16, 26, title, 'font-size="15"')}
${grid.join('\n')}
${bars.join('\n')}
</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha().png().toBuffer();
}

function colorOf(row: Sensitivity, blocks: readonly Sensitivity[]): string {
  if (!blocks.includes(row)) return colors.student;
  return colors[row.name.split('.')[0] as keyof typeof colors];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}
