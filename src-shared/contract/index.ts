import type * as z from 'zod';
import { compressionEvents, compressionRequests } from './compression.ts';
import { evaluationEvents, evaluationRequests } from './evaluations.ts';
import { exportEvents, exportRequests } from './exports.ts';
import { galleryEvents, galleryRequests } from './gallery.ts';
import { generationEvents, generationRequests } from './generation.ts';
import { influenceEvents, influenceRequests } from './influence.ts';
import { jobEvents, jobRequests } from './jobs.ts';
import { libraryEvents, libraryRequests } from './library.ts';
import { loraEvents, loraRequests } from './loras.ts';
import { modelEvents, modelRequests } from './models.ts';
import { originalRequests } from './originals.ts';
import { photoEvents, photoRequests } from './photos.ts';
import { projectEvents, projectRequests } from './projects.ts';
import { scoreEvents, scoreRequests } from './scores.ts';
import { settingsEvents, settingsRequests } from './settings.ts';
import { subjectEvents, subjectRequests } from './subjects.ts';
import { systemEvents, systemRequests } from './system.ts';
import { trainingEvents, trainingRequests } from './training.ts';
import { trashRequests } from './trash.ts';

/** Every request of the window. */
export const requests = {
  ...libraryRequests,
  ...projectRequests,
  ...subjectRequests,
  ...photoRequests,
  ...originalRequests,
  ...trainingRequests,
  ...generationRequests,
  ...galleryRequests,
  ...scoreRequests,
  ...evaluationRequests,
  ...influenceRequests,
  ...modelRequests,
  ...loraRequests,
  ...compressionRequests,
  ...exportRequests,
  ...jobRequests,
  ...settingsRequests,
  ...systemRequests,
  ...trashRequests,
};

/** Every event that the window is sent. */
export const events = {
  ...libraryEvents,
  ...projectEvents,
  ...subjectEvents,
  ...photoEvents,
  ...trainingEvents,
  ...generationEvents,
  ...galleryEvents,
  ...scoreEvents,
  ...evaluationEvents,
  ...influenceEvents,
  ...modelEvents,
  ...loraEvents,
  ...compressionEvents,
  ...exportEvents,
  ...jobEvents,
  ...settingsEvents,
  ...systemEvents,
};

export type RequestName = keyof typeof requests;
export type EventName = keyof typeof events;

/** The input as it is sent: fields with defaults may be left out. */
export type Input<N extends RequestName> = z.input<(typeof requests)[N]['input']>;
/** The input as a handler gets it: validated, with defaults filled in. */
export type ValidInput<N extends RequestName> = z.output<(typeof requests)[N]['input']>;
export type Output<N extends RequestName> = z.output<(typeof requests)[N]['output']>;
export type Payload<N extends EventName> = z.output<(typeof events)[N]>;
