import type { Report } from '../../features/inspect/inspect.ts';
import { predictions } from '../../../src-shared/domain/prediction.ts';
import { onlyFileIn } from '../../features/download/hubCache.ts';
import { command } from '../command.ts';
import { choice, model, operand } from '../options.ts';
import { plural } from '../../../src-shared/plural.ts';

export const inspect = command({
  name: 'inspect',
  summary: 'tell what a model, a LoRA or a run is, and whether it is complete',
  usage: 'PATH [OPTIONS]',
  examples: ['likeness inspect models/likeness-mini', 'likeness inspect "my run" --json'],
  options: {
    path: operand(
      model('PATH', 'a diffusers folder, a weight file (.safetensors, .ckpt), a LoRA, a run or a Hub id'),
    ),
    prediction: choice(predictions, 'what the model predicts, for a single file that does not say it'),
  },
  request: ({ path, prediction }) => ({ path: onlyFileIn(path), prediction }),
  run: async ({ path, prediction }) => {
    const features = await import('../../features/inspect/inspect.ts');
    const { report, fatal } = await features.inspect(path, prediction);
    const problems = report.problems.map((problem) => `Problem     ${problem}`);
    const text = [...describe(report), ...(problems.length ? problems : ['Problems    none'])].join('\n');
    return { fields: { ...report }, text, ...(fatal && { failure: fatal }) };
  },
});

const millions = (count: number) => `${(count / 1e6).toFixed(count < 1e7 ? 2 : 1)} M`;

function describe(report: Report): string[] {
  if (report.kind === 'run')
    return [
      `Run         ${report.path}`,
      `Method      ${report.method}, ${plural(report.steps, 'step', 'steps')} of ${report.model}`,
      `Checkpoints ${report.checkpoints.join(', ') || 'none'}`,
    ];
  if (report.kind === 'embedding')
    return [`Embedding   ${report.path}, ${report.vectors} × ${report.width}`, `Word        ${report.word}`];
  if (report.kind === 'lora')
    return [
      `LoRA        ${report.path}, ${report.methods.join(', ')}${report.ranks.length ? `, rank ${report.ranks.join(', ')}` : ''}`,
      `U-Net       ${millions(report.parameters.unet)} parameters in ${plural(report.modules.unet, 'module', 'modules')}`,
      `Text        ${millions(report.parameters.text_encoder)} parameters in ${plural(report.modules.text_encoder, 'module', 'modules')}`,
      ...(report.modules.text_encoder_2 > 0
        ? [
            `Text 2      ${millions(report.parameters.text_encoder_2)} parameters in ${plural(report.modules.text_encoder_2, 'module', 'modules')}`,
          ]
        : []),
      ...(report.embeddings.length ? [`Words       ${report.embeddings.join(', ')}`] : []),
    ];
  const { parameters, dtype } = report;
  const part = (name: 'unet' | 'vae' | 'text_encoder' | 'text_encoder_2') =>
    `${millions(parameters[name] ?? 0)} parameters, ${(dtype[name] ?? []).join(' and ')}`;
  return [
    `Model       ${report.path} (${report.kind})`,
    `Family      ${report.family}, predicts ${report.predictionType}${report.predictionFrom === undefined ? '' : ` (by ${report.predictionFrom})`}`,
    `Hash        ${report.hash}`,
    `U-Net       ${part('unet')}`,
    `VAE         ${part('vae')}`,
    `Text        ${part('text_encoder')}`,
    ...(parameters.text_encoder_2 === undefined ? [] : [`Text 2      ${part('text_encoder_2')}`]),
    `Cost        ${(report.macs / 1e9).toFixed(1)} GMACs for one U-Net call at ${report.size.width}×${report.size.height}, and ${(report.attentionMacs / 1e9).toFixed(1)} in attention's own products`,
  ];
}
