import { keepVerdictsIn } from '../../../src-main/engine/runtime/keptVerdicts.ts';
import { cacheFolder } from '../../../src-main/places.ts';

// Imported by a child process that is not about the trial of a device: what an earlier one found is believed.

keepVerdictsIn(cacheFolder());
