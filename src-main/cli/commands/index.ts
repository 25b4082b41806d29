import type { Command } from '../command.ts';
import { bench } from './bench.ts';
import { compress } from './compress.ts';
import { distill } from './distill.ts';
import { doctor } from './doctor.ts';
import { download } from './download.ts';
import { evaluateDreambooth } from './evaluateDreambooth.ts';
import { evaluateSet } from './evaluateSet.ts';
import { evaluateSubject } from './evaluateSubject.ts';
import { exportCommand } from './export.ts';
import { finetune } from './finetune.ts';
import { generate } from './generate.ts';
import { gpuAdd, gpuRemove } from './gpu.ts';
import { gpuCheckCommand } from './gpuCheck.ts';
import { influence } from './influence.ts';
import { inspect } from './inspect.ts';
import { join } from './join.ts';
import { mask } from './mask.ts';
import { photos } from './photos.ts';
import { quickstart } from './quickstart.ts';
import { rerun } from './rerun.ts';
import { score } from './score.ts';
import { serve } from './serve.ts';
import { upscaleCommand } from './upscale.ts';

/** In the order of the help text. */
export const commands: readonly Command[] = [
  quickstart,
  serve,
  generate,
  upscaleCommand,
  photos,
  mask,
  finetune,
  rerun,
  score,
  influence,
  exportCommand,
  compress,
  distill,
  join,
  evaluateSubject,
  evaluateSet,
  evaluateDreambooth,
  download,
  inspect,
  bench,
  doctor,
  gpuAdd,
  gpuRemove,
  gpuCheckCommand,
];
