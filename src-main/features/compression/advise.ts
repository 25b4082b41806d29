import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { LikenessError } from '../../../src-shared/messages/index.ts';
import { removalOfKind, singleBlocks, studentKinds } from '../../engine/checkpoints/blockRemoval.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { studentOf } from '../../engine/checkpoints/student.ts';
import { blockCosts, unetCost, type Cost } from '../../engine/models/unetCost.ts';
import {
  outputChange,
  probesOf,
  withoutBlock,
  type ProbeOptions,
} from '../../engine/evaluation/blockSensitivity.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** What a removal saves, and what it does to the noise prediction. */
export interface Sensitivity {
  /** A block, or a kind of student. */
  readonly name: string;
  readonly saves: Cost;
  /** Relative mean squared change of the prediction: see `outputChange`. */
  readonly change: number;
}

export interface Advice {
  /** In the network's order. */
  readonly blocks: readonly Sensitivity[];
  readonly students: readonly Sensitivity[];
  readonly probes: number;
}

/**
 * Measures what each single block is worth, and each published student that the model can become, before any training. `wanted`: a
 * student of the user's own, to measure too.
 */
export async function advise(
  model: Model,
  wanted: readonly { readonly name: string; readonly student: Model }[],
  options: ProbeOptions,
  context: JobContext,
): Promise<Advice> {
  const probes = await probesOf(model, options, context);
  const { config } = model.unet;
  const names = singleBlocks(config);
  const students = [...publishedStudents(model), ...wanted];
  const total = (names.length + students.length) * probes.length;
  let done = 0;
  const change = (changed: Model, own?: ReturnType<typeof withoutBlock>): Promise<number> =>
    outputChange(
      changed,
      own,
      probes,
      options.provider,
      () => context.report({ type: 'progress', done: ++done, total, label: 'without blocks' }),
      context.signal,
    );

  const costs = blockCosts(config);
  const blocks: Sensitivity[] = [];
  for (const name of names)
    blocks.push({
      name,
      saves: entryOf(costs, name),
      change: await change(model, withoutBlock(model, name)),
    });
  const whole = unetCost(config);
  const measured: Sensitivity[] = [];
  for (const { name, student } of students)
    measured.push({
      name,
      saves: difference(whole, unetCost(student.unet.config)),
      change: await change(student),
    });
  return { blocks, students: measured, probes: probes.length };
}

/** Those that fit this model: it needs two layers a block, for Tiny two inner stages of one width, and for KOALA SDXL's shape. */
function publishedStudents(model: Model): { name: string; student: Model }[] {
  return studentKinds.flatMap((kind) => {
    try {
      const removal = removalOfKind(kind, model.unet.config, model.path);
      return [{ name: kind, student: studentOf(model, removal) }];
    } catch (error) {
      if (error instanceof LikenessError && error.code.startsWith('compress.')) return [];
      throw error;
    }
  });
}

function difference(a: Cost, b: Cost): Cost {
  return {
    parameters: a.parameters - b.parameters,
    macs: { layers: a.macs.layers - b.macs.layers, attention: a.macs.attention - b.macs.attention },
  };
}
