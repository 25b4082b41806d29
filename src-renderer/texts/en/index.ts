import { common } from './common.ts';
import { compare } from './compare.ts';
import { connection } from './connection.ts';
import { enlarge } from './enlarge.ts';
import { exports } from './exports.ts';
import { folders } from './folders.ts';
import { gallery } from './gallery.ts';
import { generate } from './generate.ts';
import { influence } from './influence.ts';
import { jobs } from './jobs.ts';
import { knobs } from './knobs.ts';
import { loras } from './loras.ts';
import { masks } from './masks.ts';
import { measurements } from './measurements.ts';
import { models } from './models.ts';
import { over } from './over.ts';
import { palette } from './palette.ts';
import { photos } from './photos.ts';
import { recipe } from './recipe.ts';
import { scores } from './scores.ts';
import { screens } from './screens.ts';
import { settings } from './settings.ts';
import { shell } from './shell.ts';
import { shortcuts } from './shortcuts.ts';
import { smaller } from './smaller.ts';
import { subjects } from './subjects.ts';
import { tour } from './tour.ts';
import { trash } from './trash.ts';
import { train } from './train.ts';

/** Every text of the window in English, one file a screen or dialog. */
export const en = {
  common,
  screens,
  shell,
  connection,
  palette,
  shortcuts,
  jobs,
  subjects,
  photos,
  masks,
  train,
  knobs,
  generate,
  over,
  enlarge,
  gallery,
  recipe,
  compare,
  scores,
  influence,
  measurements,
  models,
  loras,
  smaller,
  exports,
  settings,
  trash,
  folders,
  tour,
};
