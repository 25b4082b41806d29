import { command } from '../command.ts';
import { exportFormats } from '../../../src-shared/domain/exported.ts';
import type { Mix } from '../../features/export/request.ts';
import { generationLimits } from '../../../src-shared/domain/generationLimits.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { scorerFiles, shippedModel, version } from '../../shipped.ts';
import { usualScale } from '../../features/guidance/request.ts';
import type { GuidedExportRequest } from '../../features/guidance/exportGuided.ts';
import { loraChoice } from '../loraChoice.ts';
import { choice, file, integer, model, number, repeated, required, type Given } from '../options.ts';
import { defined, refuseTogether } from '../shared.ts';
import { plural } from '../../../src-shared/plural.ts';

const options = {
  run: file('RUN', 'the folder of a run', { fallback: 'a model: --model' }),
  model: model('PATH', 'the model that is written, with any --lora in it', {
    fallback: 'with --lora: the shipped model',
  }),
  lora: repeated(loraChoice()),
  checkpoint: integer('STEP', 'which checkpoint', { min: 0, max: 1e9, fallback: 'the last' }),
  format: required(choice(exportFormats, 'what to write')),
  out: required(file('PATH', 'folder or file to write')),
  dtype: choice(['f32', 'f16'], 'element type', { fallback: "the base model's" }),
  distillGuidance: number(
    'SCALE',
    `make the LoRA draw in other tools, with plain guidance SCALE (${usualScale} in most), as the run does here; takes minutes`,
    { min: 1.5, max: 50, fallback: 'the LoRA as it is' },
  ),
  distillSteps: integer('N', 'its steps', { min: 1, max: 100_000, fallback: '240' }),
  guidance: number('X', 'the guidance to distil', {
    ...generationLimits.guidance,
    fallback: "the model's for subjects",
  }),
  baseGuidance: number('X', 'the base guidance to distil', {
    ...generationLimits.guidance,
    fallback: "the model's",
  }),
  guidanceStop: number('SHARE', 'where it ends', {
    ...generationLimits.guidanceStop,
    fallback: "the model's",
  }),
  transformers: choice(['4', '5'], "whose names PEFT's text encoder part has", { fallback: '5' }),
};

export const exportCommand = command({
  name: 'export',
  summary: 'write the weights of a run, or a model, for other tools',
  usage: '(--run RUN | --model MODEL) --format FORMAT --out PATH [OPTIONS]',
  examples: [
    'likeness export --run runs/dog --format diffusers --out dog-model',
    'likeness export --run runs/dog --format kohya --out dog.safetensors',
    'likeness export --run runs/dog --format kohya --out dog.safetensors --distill-guidance 7.5',
    'likeness export --model stable-diffusion-v1-5.safetensors --format coreml --out sd15-coreml',
    'likeness export --lora dog.safetensors:0.8 --lora style.safetensors:0.5 --format diffusers --out mixed',
  ],
  options,
  request: exportRequest,
  run: async (request, context) => {
    const { exportGuided } = await import('../../features/guidance/exportGuided.ts');
    const result = await exportGuided(request, context, version);
    const step = result.step > 0 ? `step ${result.step}, ` : '';
    const written = `${result.path}: ${step}${plural(result.tensors, 'tensor', 'tensors')}, read back and compared (off by ${result.maxError.toExponential(1)})`;
    const text = result.next === undefined ? written : `${written}\n${result.next}`;
    return { fields: { ...result }, text };
  },
});

function sourceOf(
  run: string | undefined,
  base: string | undefined,
  loras: Mix['loras'],
): GuidedExportRequest['run'] {
  if (run === undefined && base === undefined && loras.length === 0)
    throw problem('usage.missingOption', { option: '--run', command: 'export' });
  if (run === undefined) return { model: base ?? shippedModel, loras };
  const mixed = loras.length > 0 ? loras : undefined;
  refuseTogether('--run', { '--lora': mixed, '--model': base }, 'the run is put into its own model');
  return run;
}

function exportRequest({ transformers, ...given }: Given<typeof options>): GuidedExportRequest {
  const { run: folder, lora = [], model: base, checkpoint, distillGuidance: scale } = given;
  const { format, out, dtype, guidance } = given;
  const run = sourceOf(folder, base, lora);
  if (typeof run !== 'string') {
    const option = lora.length > 0 ? '--lora' : '--model';
    refuseTogether(option, { '--checkpoint': checkpoint, '--distill-guidance': scale }, 'they are of a run');
    if (format === 'kohya' || format === 'peft' || format === 'embedding')
      throw problem('usage.conflict', {
        ...{ option, other: `--format ${format}` },
        why: 'the result is a whole model, and that format holds only what a run learnt',
      });
  }
  const { baseGuidance, guidanceStop, distillSteps: steps } = given;
  const taught = defined({ guidance, baseGuidance, guidanceStop });
  const distill =
    scale === undefined ? undefined : { scale, steps, taught, mobileNet: scorerFiles.mobileNet };
  return {
    run,
    format,
    out,
    transformers: transformers === '4' ? 4 : 5,
    ...defined({ checkpoint, dtype, distill }),
  };
}
