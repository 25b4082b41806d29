import type { Command } from '../command.ts';
import { bench } from './bench.ts';
import { doctor } from './doctor.ts';
import { exportCommand } from './export.ts';
import { finetune } from './finetune.ts';
import { generate } from './generate.ts';
import { inspect } from './inspect.ts';
import { quickstart } from './quickstart.ts';

/** In the order of the help text. */
export const commands: readonly Command[] = [
  quickstart,
  generate,
  finetune,
  exportCommand,
  inspect,
  bench,
  doctor,
];
