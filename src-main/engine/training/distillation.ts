import type { Model } from '../checkpoints/model.ts';
import { expectTensor, type TensorEntry } from '../checkpoints/weights.ts';
import { unetShapes } from '../models/unetCost.ts';
import { distillLoss, teacherPart, type DistillLossOptions } from './distillLoss.ts';
import type { LossOptions } from './gradients.ts';
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
