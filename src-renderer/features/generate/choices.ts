import type { Model } from '../../../src-shared/domain/model.ts';
import type { Draft } from '../../state/draft.ts';
import { texts } from '../../texts/index.ts';

type SamplerValue = NonNullable<Draft['sampler']> | '';

export const samplerNames: readonly { value: SamplerValue; label: string }[] = [
  { value: '', label: texts.generate.samplerOwn },
  { value: 'pndm', label: 'PNDM' },
  { value: 'ddim', label: 'DDIM' },
  { value: 'ddpm', label: 'DDPM' },
  { value: 'dpm++2m', label: 'DPM++ 2M' },
  { value: 'dpm++2m-sde', label: 'DPM++ 2M SDE' },
  { value: 'euler', label: 'Euler' },
  { value: 'euler-a', label: 'Euler a' },
  { value: 'heun', label: 'Heun' },
  { value: 'lms', label: 'LMS' },
  { value: 'deis', label: 'DEIS' },
  { value: 'unipc', label: 'UniPC' },
  { value: 'lcm', label: 'LCM' },
];

/** Sizes that suit a model (its square, and portraits and landscapes of about the same area), and the chosen one. */
export function sizesOf(
  model: Pick<Model, 'width' | 'height'> | undefined,
  chosen: Draft['size'],
): { value: string; label: string }[] {
  const side = model?.width ?? 512;
  const grain = 64;
  const other = (ratio: number): number => Math.max(grain, Math.round((side * ratio) / grain) * grain);
  const sizes = [
    { width: other(0.75), height: side },
    { width: side, height: other(0.75) },
    { width: other(1.5), height: other(1.5) },
    ...(chosen ? [chosen] : []),
  ].map(({ width, height }) => `${width}x${height}`);
  return [
    { value: '', label: `${side} × ${model?.height ?? side}` },
    ...[...new Set(sizes)].map((value) => ({ value, label: value.replace('x', ' × ') })),
  ];
}
