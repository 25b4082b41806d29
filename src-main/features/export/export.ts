import { basename } from 'node:path';
import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import type { GuidanceReceipt } from '../../../src-shared/domain/receipt.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import { asPair } from '../../engine/checkpoints/lora/weightChanges.ts';
import { writeDiffusersLora, writeKohya, writePeft } from '../../engine/checkpoints/lora/writeLora.ts';
import { writeOwnGuidance } from '../../engine/checkpoints/ownGuidance.ts';
import { writeDiffusers, writeSingleFile } from '../../engine/checkpoints/writeModel.ts';
import { compileNote, exportCoreml } from './coreml/exportCoreml.ts';
import { exportOnnx } from './exportOnnx.ts';
import { tokenizerOf } from '../../engine/pipelines/openTokenizer.ts';
import { loraMetadata, titleOf } from './loraMetadata.ts';
import { openMix } from './openMix.ts';
import { writeWords } from './words.ts';
import { openRun, type OpenedRun } from './openRun.ts';
import { prove, type Proof, type TitledPicture } from './proof.ts';
import type { ExportRequest } from './request.ts';
import { unusualBlocks, writeReceipt } from './receipt.ts';
import { inWorkFolder } from './workFolder.ts';

export interface ExportResult extends Proof {
  readonly path: string;
  readonly step: number;
  /** What is still to do before other tools can open it. */
  readonly next?: string;
}

/** What takes a checkpoint's place in the export: a run that was made from it. */
export interface Substitute {
  readonly run: string;
  readonly receipt: GuidanceReceipt;
  readonly pictures: readonly TitledPicture[];
}

/**
 * Writes a checkpoint in another tool's format, reads it back and compares; only then does it get its name. Errors: `run.…`,
 * `export.…`, `file.unwritable`.
 */
export async function exportRun(
  request: ExportRequest,
  { report, signal }: JobContext,
  substitute?: Substitute,
): Promise<ExportResult> {
  const { run: source } = request;
  const asked = typeof source === 'string' ? openRun(source, request.checkpoint) : openMix(source);
  const run = substitute ? { ...openRun(substitute.run, undefined), step: asked.step } : asked;
  const { step } = run;
  const path = withSuffix(request, run);
  const note = unusualBlocks(request.format, run.model);
  if (note !== undefined) report({ type: 'warning', message: note });
  const proof = await inWorkFolder(path, async (out) => {
    report({ type: 'progress', done: 0, total: 2, label: 'writing' });
    await write(run, { ...request, out });
    signal.throwIfAborted();
    report({ type: 'progress', done: 1, total: 2, label: 'reading back' });
    const proved = await prove(run, { ...request, out }, signal);
    const { tensors, maxError } = proved;
    await writeReceipt(out, {
      ...{ format: request.format, model: run.model, step, tensors, maxError, prompt: run.prompt },
      pictures: [...proved.pictures, ...(substitute?.pictures ?? [])],
      guidance: substitute?.receipt,
    });
    report({ type: 'progress', done: 2, total: 2, label: 'reading back' });
    return proved;
  });
  const { tensors, maxError } = proof;
  return { path, step, tensors, maxError, ...(request.format === 'coreml' && { next: compileNote }) };
}

/** Single-file formats are recognised by their suffix, here and in other tools. */
function withSuffix({ format, out }: ExportRequest, { words }: OpenedRun): string {
  const oneFile = format === 'kohya' || format === 'single-file' || words?.counts.size === 1;
  return oneFile && !out.endsWith('.safetensors') ? `${out}.safetensors` : out;
}

async function write(run: OpenedRun, { out, format, dtype, transformers }: ExportRequest): Promise<void> {
  const { model, changes, adapters, words } = run;
  if (format === 'embedding') {
    if (!words) throw problem('export.noWords', { format });
    writeWords(out, words);
    return;
  }
  if (words) throw problem('export.wordsAlone', { format });
  const pairs = adapters.flatMap((adapter) => asPair(adapter) ?? []);
  if ((format === 'peft' || format === 'kohya') && adapters.length === 0)
    throw problem('export.needsLora', { format });
  if (format !== 'kohya' && format !== 'single-file') makeFolder(out);
  switch (format) {
    case 'peft':
      writePeft(out, adapters, { transformers, dtype, baseModel: model.path });
      // diffusers' own file has names only for plain LoRA.
      if (pairs.length === adapters.length)
        writeDiffusersLora(out, pairs, { dtype, metadata: loraMetadata(run, basename(out)) });
      return;
    case 'kohya':
      writeKohya(out, adapters, { dtype, model, metadata: loraMetadata(run, titleOf(out)) });
      return;
    case 'diffusers':
      writeDiffusers(out, model, changes, { dtype, tokenizer: tokenizerOf(model) });
      if (run.few) writeOwnGuidance(out, 1);
      return;
    case 'single-file':
      writeSingleFile(out, model, changes, { dtype });
      return;
    case 'onnx':
      exportOnnx(run, out, dtype);
      return;
    case 'coreml':
      return exportCoreml(run, out, dtype);
  }
}
