import { exitStatus, forPeople } from './failure.ts';
import { outputFor } from './output.ts';

/** The command's entry. What keeps the rest from being loaded, such as a low limit of open files, is told in a sentence too. */
try {
  await import('./main.ts');
} catch (thrown) {
  const error = forPeople(thrown);
  outputFor(process.argv.slice(2)).failed(error);
  process.exitCode = exitStatus(error);
}
