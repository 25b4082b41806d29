import { plural } from './plural.ts';

export const smaller = {
  title: 'Make a model smaller',
  about:
    'A smaller U-Net draws and trains faster and needs less memory. Blocks are taken out as BK-SDM does it, and the rest is kept; distilling afterwards brings quality back.',
  of: 'Base model',
  weigh: 'Weigh its blocks',
  weighAgain: 'Weigh again',
  weighAbout:
    'Leaves out each block in turn and looks how much the picture changes: what hardly changes it can go. With a large model that takes some minutes.',
  table: (probes: number) => `What each block is worth, measured on ${plural(probes, 'probe', 'probes')}`,
  block: 'Without',
  change: 'Change of the prediction',
  parameters: 'Parameters',
  macs: 'MACs a call',
  percent: (share: number) => `${Number((share * 100).toPrecision(2)).toLocaleString('en')} %`,
  kinds: { 'bk-base': 'Base', 'bk-small': 'Small', 'bk-tiny': 'Tiny' },
  makeKind: (kind: string) => `Make ${kind}`,
  makeWithout: (count: number) =>
    count === 0 ? 'Take out the ticked blocks' : `Take out ${plural(count, 'block', 'blocks')}`,
  noKinds: 'Base, Small and Tiny are made from models with two layers a block; this one has another shape.',
  distill: 'Distil',
  distillSummary: 'train the smaller model to do what the larger one does',
  distillAbout:
    'Needs a folder of pictures with captions: metadata.csv, or a .txt file beside each picture. Can be paused; the result joins the list above.',
  teacher: 'Larger model',
  student: 'Smaller model',
  data: 'Captioned pictures',
  distillStart: 'Start',
  noStudent: 'First make a smaller model above.',
};
