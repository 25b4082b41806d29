import { exitStatus, forPeople } from './failure.ts';
import { outputFor } from './output.ts';

/** The command's entry. If the rest can't even be loaded, as with a low limit of open files, a sentence says so. */
try {
  await import('./main.ts');
} catch (thrown) {
  const error = forPeople(thrown);
  outputFor(process.argv.slice(2)).failed(error);
  process.exitCode = exitStatus(error);
}
