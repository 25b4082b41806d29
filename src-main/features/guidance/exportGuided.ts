import type { JobContext } from '../../../src-shared/domain/jobEvents.ts';
import { exportRun, type ExportResult } from '../export/export.ts';
import type { ExportRequest } from '../export/request.ts';
import { compareGuidance } from './compareGuidance.ts';
import { distillGuidance } from './distillGuidance.ts';
import type { DistillRequest } from './request.ts';

/** An export of a run; with `distill`, of the LoRA that draws with plain guidance as the run does here. */
export interface GuidedExportRequest extends ExportRequest {
  readonly distill?: DistillRequest | undefined;
}

/** Errors: those of `exportRun` and `distillGuidance`. */
export async function exportGuided(
  { distill, ...request }: GuidedExportRequest,
  context: JobContext,
  version: string,
): Promise<ExportResult> {
  const { run } = request;
  if (!distill || typeof run !== 'string') return exportRun(request, context);
  const distilled = await distillGuidance({ ...request, run }, distill, context, version);
  const comparison = await compareGuidance(run, distilled, distill, context, version);
  return exportRun(request, context, { run: distilled.run, ...comparison });
}
