import { problem } from '../../../src-shared/messages/index.ts';
import type { Model } from '../checkpoints/model.ts';
import { expectTensor, type TensorEntry } from '../checkpoints/weights.ts';
import { unetShapes } from '../models/unetCost.ts';
import { resolveScheduler } from '../schedulers/config.ts';
import { alphasCumprod } from '../schedulers/noiseSchedule.ts';
import { distillLoss, teacherPart, type DistillLossOptions } from './distillLoss.ts';
import type { LossOptions } from './gradients.ts';
import type { PredictionType } from './noising.ts';
import { Teacher } from './teacher.ts';
import { wholeNetworks } from './trained.ts';

/** What a trainer needs to know of the loss: all of the student's U-Net is trained. Errors: `distill.unfit`, `tensor.…`. */
export function distillation(
  teacher: Model,
  student: Model,
  options: Omit<DistillLossOptions, 'tokens'> & Pick<LossOptions, 'threads' | 'provider'>,
): LossOptions {
  const { loss, metrics, taught } = distillLoss(teacher.unet.config, student.unet.config, {
    ...options,
    tokens: student.textEncoder.config.max_position_embeddings,
  });
  const { names: trained } = wholeNetworks(student, { trainTextEncoder: false });
  const { provider, threads } = options;
  return {
    ...{ loss, metrics, trained },
    weights: () => undefined,
    ...(provider && { provider }),
    ...(threads && { threads }),
    preparation: (on) => Teacher.create(taught, { ...on, weights: weightsOfTeacher(teacher), threads }),
  };
}

/** The teacher's stored weights by their names in the graph. Errors: `tensor.…`. */
function weightsOfTeacher({ unet }: Model): (name: string) => TensorEntry | undefined {
  const entries = new Map(
    [...unetShapes(unet.config)].map(([name, shape]) => [
      `${teacherPart}.${name}`,
      expectTensor(unet.weights, name, shape),
    ]),
  );
  return (name) => entries.get(name);
}

/** Teacher and student must be denoisers of the same noise. Errors: `distill.unfit`. */
export function scheduleOf(
  teacher: Model,
  student: Model,
): { prediction: PredictionType; alphaBars: Float32Array } {
  const unfit = (why: string): Error => problem('distill.unfit', { why });
  const [theirs, ours] = [teacher, student].map(
    ({ scheduler, path }) => resolveScheduler(scheduler, undefined, path).config,
  );
  if (theirs?.prediction_type !== ours?.prediction_type)
    throw unfit(`the teacher predicts ${theirs?.prediction_type}, the student ${ours?.prediction_type}`);
  const [a, b] = [teacher.unet.config, student.unet.config];
  if (a.in_channels !== b.in_channels || a.out_channels !== b.out_channels)
    throw unfit(`the teacher's latents have ${a.in_channels} channels, the student's ${b.in_channels}`);
  if (a.cross_attention_dim[0] !== b.cross_attention_dim[0])
    throw unfit(
      `the teacher's prompts are ${a.cross_attention_dim[0]} wide, the student's ${b.cross_attention_dim[0]}`,
    );
  const config = resolveScheduler(teacher.scheduler, undefined, teacher.path).config;
  const prediction = config.prediction_type === 'v_prediction' ? 'v_prediction' : 'epsilon';
  return { prediction, alphaBars: alphasCumprod(config) };
}
