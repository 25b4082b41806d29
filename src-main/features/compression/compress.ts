import { join } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import {
  blocksOfKind,
  planRemoval,
  removalOfKind,
  removedTransformers,
} from '../../engine/checkpoints/blockRemoval.ts';
import { makeFolder, statOrNothing } from '../../engine/checkpoints/files.ts';
import type { Model } from '../../engine/checkpoints/model.ts';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { studentOf } from '../../engine/checkpoints/student.ts';
import { writeAtomically } from '../../engine/checkpoints/writeSafetensors.ts';
import { writeJson } from '../../engine/checkpoints/writeJson.ts';
import { writeStudent } from '../../engine/checkpoints/writeStudent.ts';
import { unetCost, type Cost } from '../../engine/models/unetCost.ts';
import { tokenizerOf } from '../../engine/pipelines/openTokenizer.ts';
import { advise, type Advice } from './advise.ts';
import type { CompressRequest } from './request.ts';
import { drawSensitivity } from './sensitivityChart.ts';

export interface CompressResult {
  readonly path: string;
  /** Removed blocks; none where only advice was asked for. */
  readonly removed: readonly string[];
  readonly before: Cost;
  readonly after?: Cost;
  readonly advice?: Advice & { readonly picture: string; readonly table: string };
}

/**
 * Makes a smaller model from a teacher by removing blocks of its U-Net, measures what its blocks are worth, or both. Errors:
 * `compress.…`, those of `openModel`, `file.unwritable`.
 */
export async function compress(request: CompressRequest, context: JobContext): Promise<CompressResult> {
  const { out } = request;
  if (statOrNothing(out)) throw problem('compress.exists', { folder: out });
  const teacher = openModel(request.model);
  const { config } = teacher.unet;
  const removed = [
    ...(request.to ? blocksOfKind(request.to, config, teacher.path) : []),
    ...(request.remove ?? []),
  ];
  const removal = request.to ? removalOfKind(request.to, config, teacher.path) : planRemoval(config, removed);
  const student = removed.length > 0 ? studentOf(teacher, removal) : undefined;
  const advice = request.advise ? await adviseOn(teacher, student, request, context) : undefined;

  if (student) {
    context.signal.throwIfAborted();
    writeStudent(out, student, { tokenizer: tokenizerOf(teacher) });
    // Reads the result like any model, as a check.
    openModel(out);
  }
  return {
    path: out,
    removed: [...removed, ...removedTransformers(removal, config)],
    before: unetCost(config),
    ...(student && { after: unetCost(student.unet.config) }),
    ...(advice && { advice: await writeAdvice(out, request.model, advice) }),
  };
}

function adviseOn(
  teacher: Model,
  student: Model | undefined,
  request: CompressRequest,
  context: JobContext,
): Promise<Advice> {
  const chosen = student && request.remove ? [{ name: 'yours', student }] : [];
  return advise(teacher, chosen, request, context);
}

async function writeAdvice(
  out: string,
  model: string,
  advice: Advice,
): Promise<NonNullable<CompressResult['advice']>> {
  makeFolder(out);
  const files = { picture: join(out, 'sensitivity.png'), table: join(out, 'sensitivity.json') };
  writeJson(files.table, { model, ...advice });
  const png = await drawSensitivity('Change of the noise prediction without a block', advice);
  writeAtomically(files.picture, () => [png]);
  return { ...advice, ...files };
}
