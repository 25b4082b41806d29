/** Models of the Hub that load here, with their size in f16 or f32 as published. */
export const catalogue = [
  {
    repository: 'segmind/tiny-sd',
    name: 'Tiny SD',
    about: 'Small and quick: Stable Diffusion 1.5 distilled, 512 pixels.',
    licence: 'CreativeML Open RAIL-M',
    bytes: 1.1e9,
  },
  {
    repository: 'nota-ai/bk-sdm-small',
    name: 'BK-SDM-Small',
    about: 'Half the U-Net of Stable Diffusion 1.4 at nearly its quality, 512 pixels.',
    licence: 'CreativeML Open RAIL-M',
    bytes: 1.3e9,
  },
  {
    repository: 'stable-diffusion-v1-5/stable-diffusion-v1-5',
    name: 'Stable Diffusion 1.5',
    about: 'The full model, 512 pixels; wants a GPU or patience.',
    licence: 'CreativeML Open RAIL-M',
    bytes: 2.7e9,
  },
] as const;
