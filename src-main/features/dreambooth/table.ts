import type { EvaluationTable } from '../../../src-shared/domain/evaluation.ts';
import type { SubjectResult } from './scores.ts';
import { plural } from '../../../src-shared/plural.ts';

type Figures = Pick<SubjectResult, 'dino' | 'clipI' | 'clipT' | 'mobileNet'>;

/** Ruiz et al. 2023, table 1; with CLIP ViT-B/32 and DINO ViT-S/16. */
const published: readonly (readonly [string, Figures])[] = [
  ['published: real pictures', { dino: 0.774, clipI: 0.885, clipT: null, mobileNet: null }],
  ['published: DreamBooth (Imagen)', { dino: 0.696, clipI: 0.812, clipT: 0.306, mobileNet: null }],
  ['published: DreamBooth (Stable Diffusion)', { dino: 0.668, clipI: 0.803, clipT: 0.305, mobileNet: null }],
  [
    'published: Textual Inversion (Stable Diffusion)',
    { dino: 0.569, clipI: 0.78, clipT: 0.255, mobileNet: null },
  ],
];

const columns = [
  ['DINO', 'dino'],
  ['CLIP-I', 'clipI'],
  ['CLIP-T', 'clipT'],
  ['MobileNetV2', 'mobileNet'],
] as const;

/** DreamBooth's table: the mean over subjects first, then published figures where they can be compared, then each subject. */
export function figuresOf(results: readonly SubjectResult[]): EvaluationTable {
  const mean = meanOf(results);
  const comparable = mean.dino !== null || mean.clipI !== null;
  const rows: (readonly [string, Figures])[] = [
    [`mean of ${plural(results.length, 'subject', 'subjects')}`, mean],
    ...(comparable ? published : []),
    ...results.map((result) => [`${result.subject} (${result.classNoun})`, result] as const),
  ];
  return {
    columns: columns.map(([title]) => title),
    rows: rows.map(([name, figures]) => ({ name, values: columns.map(([, key]) => figures[key]) })),
  };
}

/** The same, in Markdown and for a spreadsheet. */
export function tableOf(results: readonly SubjectResult[]): { readonly table: string; readonly csv: string } {
  const cells = figuresOf(results).rows.map(({ name, values }) => [
    name,
    ...values.map((value) => value?.toFixed(3) ?? '–'),
  ]);
  const lines = [['', ...columns.map(([title]) => title)], ['---', ...columns.map(() => '---:')], ...cells];
  const table = `${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
  const written = results.map((result) =>
    [result.subject, result.classNoun, ...columns.map(([, key]) => result[key] ?? '')].join(','),
  );
  const csv = `${['subject_name,class,dino,clip_i,clip_t,mobilenet_v2', ...written].join('\n')}\n`;
  return { table, csv };
}

function meanOf(results: readonly SubjectResult[]): Figures {
  const of = (key: keyof Figures): number | null => {
    const known = results.map((result) => result[key]).filter((value) => value !== null);
    return known.length === results.length
      ? known.reduce((sum, value) => sum + value, 0) / known.length
      : null;
  };
  return { dino: of('dino'), clipI: of('clipI'), clipT: of('clipT'), mobileNet: of('mobileNet') };
}
