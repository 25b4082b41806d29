import { connection } from './connection.svelte.ts';
import { evaluations } from './evaluations.svelte.ts';
import { gallery } from './gallery.svelte.ts';
import { generation } from './generation.svelte.ts';
import { influence } from './influence.svelte.ts';
import { jobs } from './jobs.svelte.ts';
import { loraFiles } from './loraFiles.svelte.ts';
import { machine } from './machine.svelte.ts';
import { models } from './models.svelte.ts';
import { photos } from './photos.svelte.ts';
import { scores } from './scores.svelte.ts';
import { settings } from './settings.svelte.ts';
import { subjects } from './subjects.svelte.ts';
import { training } from './training.svelte.ts';

/** Loads what every screen needs, the first screen's data first, and again after each reconnection. */
export async function loadStudio(): Promise<void> {
  await Promise.all([settings.load(), subjects.load()]);
  await Promise.all([jobs.load(), training.load(), models.load(), loraFiles.load(), machine.load()]);
  await generation.restore();
}

/** Reloads what a screen loaded itself, as that may be outdated. */
async function loadAgain(): Promise<void> {
  await loadStudio();
  await Promise.all([
    gallery.loadAgain(),
    photos.loadAgain(),
    training.loadAgain(),
    scores.loadAgain(),
    influence.loadAgain(),
    evaluations.loadAgain(),
  ]);
}

connection.onReturn(() => void loadAgain());
