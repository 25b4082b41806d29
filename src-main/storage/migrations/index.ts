import { library } from './001-library.ts';
import { promptSearch } from './002-prompt-search.ts';
import { measurements } from './003-measurements.ts';
import { galleryOrder } from './004-gallery-order.ts';
import { backgroundWeight } from './005-background-weight.ts';
import { markedBy } from './006-marked-by.ts';
import { loraFiles } from './007-lora-files.ts';
import { keptExports } from './008-kept-exports.ts';
import { evaluations } from './009-evaluations.ts';
import type { Migration } from './migration.ts';

/** In order; one that was released is never changed. */
export const migrations: readonly Migration[] = [
  library,
  promptSearch,
  measurements,
  galleryOrder,
  backgroundWeight,
  markedBy,
  loraFiles,
  keptExports,
  evaluations,
];
