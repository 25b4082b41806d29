/** A model of the Hub that is known to load here. */
export interface CatalogueEntry {
  /** "owner/name" */
  readonly repository: string;
  readonly name: string;
  /** A group of models, as people look for them. */
  readonly family: 'Stable Diffusion' | 'BK-SDM' | 'BK-SDM, more data' | 'BK-SDM 2' | 'Stable Diffusion XL';
  readonly about: string;
  readonly licence: string;
  /** Bytes of the U-Net, the text encoders and the VAE. */
  readonly bytes: number;
  /** Of all of them. */
  readonly parameters: number;
  /** Multiply–accumulate operations of one call of the U-Net at the model's own size. */
  readonly macs: number;
  /** Pixels of a side. */
  readonly side: number;
}

const openRail = 'CreativeML Open RAIL-M';

/** Parameters of the text encoders and the VAE. */
const besides = {
  sd1: 123_060_480 + 83_653_863,
  sd2: 340_387_840 + 83_653_863,
  xl: 123_060_480 + 694_659_840 + 83_653_863,
};

/** Parameters, and operations of one call, of a U-Net of each shape; `unetCost` counts the same. */
export const unetFigures = {
  sd1: { unet: 859_520_964, macs: 401.64e9, version: 'sd1' },
  base: { unet: 579_384_964, macs: 261.5e9, version: 'sd1' },
  small: { unet: 482_346_884, macs: 255.45e9, version: 'sd1' },
  tiny: { unet: 323_384_964, macs: 242.75e9, version: 'sd1' },
  base2: { unet: 583_480_964, macs: 261.81e9, version: 'sd2' },
  small2: { unet: 485_787_524, macs: 255.71e9, version: 'sd2' },
  tiny2: { unet: 326_825_604, macs: 243.02e9, version: 'sd2' },
  xl: { unet: 2_567_463_684, macs: 3380.62e9, version: 'xl' },
  ssd1b: { unet: 1_331_334_404, macs: 2103.88e9, version: 'xl' },
  vega: { unet: 745_225_604, macs: 1411.22e9, version: 'xl' },
  koala1b: { unet: 1_161_184_324, macs: 1715.91e9, version: 'xl' },
  koala700m: { unet: 782_822_724, macs: 1350.76e9, version: 'xl' },
} as const;

function entry({
  shape,
  ...about
}: Pick<CatalogueEntry, 'repository' | 'name' | 'family' | 'about'> & {
  readonly shape: keyof typeof unetFigures;
  readonly licence?: string;
}): CatalogueEntry {
  const { unet, macs, version } = unetFigures[shape];
  const parameters = unet + besides[version];
  const side = version === 'xl' ? 1024 : 512;
  // Published in 16 bits.
  return { licence: openRail, ...about, bytes: 2 * parameters, parameters, macs, side };
}

function bkSdm(size: 'base' | 'small' | 'tiny'): CatalogueEntry[] {
  const title = { base: 'Base', small: 'Small', tiny: 'Tiny' }[size];
  const less = {
    base: 'two thirds of the U-Net',
    small: 'a little over half of the U-Net',
    tiny: 'three eighths of the U-Net',
  }[size];
  return [
    entry({
      repository: `nota-ai/bk-sdm-${size}`,
      ...{ name: `BK-SDM-${title}`, family: 'BK-SDM' },
      about: `Stable Diffusion 1.4 with ${less}, taught by the whole one on 0.2 million pictures.`,
      shape: size,
    }),
    entry({
      repository: `nota-ai/bk-sdm-${size}-2m`,
      ...{ name: `BK-SDM-${title}-2M`, family: 'BK-SDM, more data' },
      about: `BK-SDM-${title}, taught on ten times as many pictures: follows prompts better.`,
      shape: size,
    }),
    entry({
      repository: `nota-ai/bk-sdm-v2-${size}`,
      ...{ name: `BK-SDM-v2-${title}`, family: 'BK-SDM 2' },
      about: `Stable Diffusion 2.1 with ${less}; its text encoder is larger.`,
      shape: `${size}2`,
    }),
  ];
}

const xlRail = 'CreativeML Open RAIL++-M';
const ofXl = { family: 'Stable Diffusion XL' } as const;

/** SDXL and what was made from it: the smallest first. */
const xlFamily: readonly CatalogueEntry[] = [
  entry({
    ...{ repository: 'segmind/Segmind-Vega', name: 'Segmind Vega', ...ofXl },
    about: 'Stable Diffusion XL with three tenths of the U-Net, taught layer by layer.',
    licence: 'Apache-2.0',
    shape: 'vega',
  }),
  entry({
    ...{ repository: 'etri-vilab/koala-700m', name: 'KOALA-700M', ...ofXl },
    about: 'Stable Diffusion XL with three tenths of the U-Net, made smaller as BK-SDM was.',
    licence: `${xlRail}; commercial use by contract`,
    shape: 'koala700m',
  }),
  entry({
    ...{ repository: 'etri-vilab/koala-1b', name: 'KOALA-1B', ...ofXl },
    about: 'Stable Diffusion XL with a little under half of the U-Net.',
    licence: `${xlRail}; commercial use by contract`,
    shape: 'koala1b',
  }),
  entry({
    ...{ repository: 'segmind/SSD-1B', name: 'SSD-1B', ...ofXl },
    about: 'Stable Diffusion XL with half of the U-Net, taught layer by layer.',
    licence: 'Apache-2.0',
    shape: 'ssd1b',
  }),
  entry({
    ...{ repository: 'stabilityai/stable-diffusion-xl-base-1.0', name: 'Stable Diffusion XL', ...ofXl },
    about: 'The whole model for 1,024 pixels; wants a large graphics card.',
    licence: xlRail,
    shape: 'xl',
  }),
];

/** The smallest first. */
export const catalogue: readonly CatalogueEntry[] = [
  ...bkSdm('tiny'),
  entry({
    repository: 'segmind/tiny-sd',
    ...{ name: 'Tiny SD', family: 'Stable Diffusion' },
    about: 'Realistic Vision 4 with three eighths of the U-Net.',
    shape: 'tiny',
  }),
  ...bkSdm('small'),
  ...bkSdm('base'),
  entry({
    repository: 'stable-diffusion-v1-5/stable-diffusion-v1-5',
    ...{ name: 'Stable Diffusion 1.5', family: 'Stable Diffusion' },
    about: 'The whole model; wants a graphics card or patience.',
    shape: 'sd1',
  }),
  ...xlFamily,
];
