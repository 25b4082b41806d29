import { problem } from '../../../../src-shared/messages/index.ts';
import type { Model } from '../../checkpoints/model.ts';
import { expectTensor } from '../../checkpoints/weights.ts';
import { add, input, meanSquaredError, mul } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { inPrecision } from '../../graph/mixedPrecision.ts';
import type { Value } from '../../graph/ops.ts';
import { addedInputs } from '../../models/addedEmbedding.ts';
import type { UNetConfig } from '../../models/config.ts';
import { unet } from '../../models/unet.ts';
import { unetShapes } from '../../models/unetCost.ts';
import { Scope } from '../../nn/scope.ts';
import { noiseSchedule, type NoiseSchedule } from '../../schedulers/noiseSchedule.ts';
import { sameShape, type HostTensor, type FileTensor } from '../../tensor/tensor.ts';
import type { DistillBatch } from '../data/batch.ts';
import type { LossOptions } from './gradients.ts';
import { noised, noiseFeeds } from './noising.ts';
import { wholeNetworks } from './parameters.ts';
import { rowsOf } from './rows.ts';
import { Teacher } from './teacher.ts';

/** The teacher's weights in the graph are named "teacher.…"; the student's "unet.…", as those of any U-Net that is trained. */
const teacherPart = 'teacher';

export interface DistillLossOptions {
  readonly batch: number;
  /** [c,h,w] of one picture's latents. */
  readonly latents: readonly [number, number, number];
  /** Tokens of a prompt. */
  readonly tokens: number;
  readonly lambdaSd: number;
  readonly lambdaOutput: number;
  readonly lambdaFeature: number;
}

/**
 * BK-SDM's loss (Kim et al. 2023, equation 4): λsd·MSE(prediction, target) + λoutput·MSE(prediction, teacher's) + λfeature·Σ MSE(a
 * block's output, the teacher's). Feed it with `distillFeeds` and what `taught` gives for them. Errors: `distill.unfit`.
 *
 * The teacher is a graph of its own, `taught`, whose outputs "taught.…" are inputs of the loss. It needs no gradient, so all that
 * it computes is freed before the student starts, except the values that are compared.
 */
export function distillLoss(
  teacher: UNetConfig,
  student: UNetConfig,
  options: DistillLossOptions,
): {
  readonly loss: Value;
  readonly metrics: Readonly<Record<'sd' | 'output' | 'feature', Value>>;
  readonly taught: Graph;
  readonly between: readonly Value[];
} {
  const { batch, latents, tokens } = options;
  const { sample, timesteps, target } = noised(batch, latents);
  const context = input('context', [batch, tokens, student.cross_attention_dim[0] as number]);
  const inputs = { sample, timesteps, context, ...addedInputs(student, batch) };
  const theirs = unet(Scope.root(teacherPart), inputs, teacher);
  const learnt = unet(Scope.root('unet'), inputs, student);

  const outputs: Record<string, Value> = {};
  const given = (name: string, value: Value): Value => {
    outputs[`taught.${name}`] = value;
    return input(`taught.${name}`, value.shape);
  };
  const features = featurePairs(teacher, student).map(([from, to]) => {
    const [wanted, got] = [theirs.features.get(from), learnt.features.get(to)];
    if (!wanted || !got || !sameShape(wanted.shape, got.shape))
      throw problem('distill.unfit', {
        why: `the student's "${to}" gives ${shapeText(got)}, the teacher's "${from}" ${shapeText(wanted)}`,
      });
    return meanSquaredError(got, given(from, wanted));
  });
  const metrics = {
    sd: meanSquaredError(learnt.sample, target),
    output: meanSquaredError(learnt.sample, given('sample', theirs.sample)),
    feature: features.reduce((sum, one) => add(sum, one)),
  };
  const loss = add(
    add(mul(metrics.sd, options.lambdaSd), mul(metrics.output, options.lambdaOutput)),
    mul(metrics.feature, options.lambdaFeature),
  );
  return { loss, metrics, taught: { outputs }, between: learnt.between };
}

/** The loss's inputs for a batch. */
export function distillFeeds(batch: DistillBatch, schedule: NoiseSchedule): Record<string, HostTensor> {
  return { ...noiseFeeds(batch, schedule), context: batch.context, ...batch.added };
}

/**
 * The blocks whose outputs are compared, as [teacher's, student's] names: all down and up blocks. Where the student lacks inner
 * stages, its innermost down block does not shrink its output, so its last attention's projection stands for it; up blocks are
 * counted from the outside.
 */
function featurePairs(teacher: UNetConfig, student: UNetConfig): [string, string][] {
  const depth = student.block_out_channels.length;
  const missing = teacher.block_out_channels.length - depth;
  if (missing < 0) throw problem('distill.unfit', { why: 'the student has more stages than the teacher' });
  const last = (config: UNetConfig): string =>
    `down_blocks.${depth - 1}.attentions.${(config.layers_per_block[depth - 1] as number) - 1}.proj_out`;
  const inner: [string, string][] =
    student.down_block_types[depth - 1] === 'CrossAttnDownBlock2D' ? [[last(teacher), last(student)]] : [];
  const down = Array.from({ length: missing > 0 ? depth - 1 : depth }, (_, i): [string, string] => [
    `down_blocks.${i}`,
    `down_blocks.${i}`,
  ]);
  const up = Array.from({ length: depth }, (_, i): [string, string] => [
    `up_blocks.${i + missing}`,
    `up_blocks.${i}`,
  ]);
  return [...down, ...(missing > 0 ? inner : []), ...up];
}

function shapeText(value: Value | undefined): string {
  return value ? value.shape.slice(1).join('×') : 'nothing';
}

/** The loss, ready for a trainer: all of the student's U-Net is trained. Errors: `distill.unfit`, `tensor.…`. */
export function distillObjective(
  teacher: Model,
  student: Model,
  options: Omit<DistillLossOptions, 'tokens'> & Pick<LossOptions, 'threads' | 'provider' | 'precision'>,
): LossOptions {
  const { batch, provider, precision, threads } = options;
  const { loss, metrics, taught, between } = distillLoss(teacher.unet.config, student.unet.config, {
    ...options,
    tokens: student.textEncoder.config.max_position_embeddings,
  });
  const { names: trained } = wholeNetworks(student, { trainTextEncoder: false });
  const stored = weightsOfTeacher(teacher);
  return {
    ...{ loss, metrics, trained, between },
    weights: () => undefined,
    ...(provider && { provider }),
    ...(precision && { precision }),
    ...(threads && { threads }),
    beside: { graph: taught, weights: stored },
    // A student may come very near to its teacher.
    exact: true,
    preparation: ({ form: { computes, ...kept }, ...on }) =>
      Teacher.create(inPrecision(taught, computes), { ...on, ...kept, weights: stored, threads }),
    // All of its parts are means over rows of the same size.
    ...(batch > 1 && {
      byRow: () => ({
        options: { ...distillObjective(teacher, student, { ...options, batch: 1 }), tight: true },
        rows: (feeds) => rowsOf(feeds, batch),
      }),
    }),
  };
}

/** The teacher's stored weights by their names in the graph. Errors: `tensor.…`. */
function weightsOfTeacher({ unet }: Model): (name: string) => FileTensor | undefined {
  const entries = new Map(
    [...unetShapes(unet.config)].map(([name, shape]) => [
      `${teacherPart}.${name}`,
      expectTensor(unet.weights, name, shape),
    ]),
  );
  return (name) => entries.get(name);
}

/** The noise that teacher and student both predict. Errors: `distill.unfit` where they do not. */
export function sharedSchedule(teacher: Model, student: Model): NoiseSchedule {
  const unfit = (why: string): Error => problem('distill.unfit', { why });
  const [theirs, ours] = [
    noiseSchedule(teacher.scheduler, teacher.path),
    noiseSchedule(student.scheduler, student.path),
  ];
  if (theirs.prediction !== ours.prediction)
    throw unfit(`the teacher predicts ${theirs.prediction}, the student ${ours.prediction}`);
  const [a, b] = [teacher.unet.config, student.unet.config];
  if (a.in_channels !== b.in_channels || a.out_channels !== b.out_channels)
    throw unfit(`the teacher's latents have ${a.in_channels} channels, the student's ${b.in_channels}`);
  if (a.cross_attention_dim[0] !== b.cross_attention_dim[0])
    throw unfit(
      `the teacher's prompts are ${a.cross_attention_dim[0]} wide, the student's ${b.cross_attention_dim[0]}`,
    );
  const [wanted, given] = [a.addition?.textWidth, b.addition?.textWidth];
  if (wanted !== given)
    throw unfit(
      `the teacher takes ${wanted ?? 'no'} numbers of the pooled prompt, the student ${given ?? 'none'}`,
    );
  return theirs;
}
