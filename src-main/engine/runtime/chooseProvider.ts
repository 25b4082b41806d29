import { messages } from '../../../src-shared/messages/index.ts';
import { deviceFingerprint } from './graphicsDevice.ts';
import { providerNotice } from './notices.ts';
import type { Precision } from '../../../src-shared/domain/precision.ts';
import type { Provider } from '../../../src-shared/domain/providers.ts';
import { providersToTry } from './providers.ts';
import { tryProvider, type TrialOpener } from './trial.ts';
import { isSlow, type Verdict } from './verdict.ts';
import { keepVerdict, keptVerdict, markTrial } from './keptVerdicts.ts';

const known = new Map<string, Promise<Verdict>>();
let chosen: Promise<Verdict | undefined> | undefined;

/** Forgets what this process found: the next question is answered anew. */
export function forgetVerdicts(): void {
  known.clear();
  chosen = undefined;
}

/** Whether `provider` works here and gives the CPU's numbers: tried once per device and driver, and kept (`keepVerdictsIn`). */
export function verdictOn(
  provider: Provider,
  open: TrialOpener,
  precision: Precision = 'f32',
): Promise<Verdict> {
  const what = precision === 'f32' ? provider : `${provider} ${precision}`;
  const before = known.get(what);
  if (before) return before;
  const found = (async () => {
    const on = await deviceFingerprint();
    const kept = keptVerdict(provider, what, on);
    if (kept) return kept;
    markTrial(what, on);
    const verdict = await tryProvider(provider, open, precision);
    keepVerdict(what, verdict, on);
    return verdict;
  })();
  known.set(what, found);
  return found;
}

/**
 * The provider that `auto` stands for: of those that are right the one that was fastest, unless the CPU is faster; undefined for the
 * CPU. One that is there and can't be used is reported.
 */
export function chosenProvider(open: TrialOpener): Promise<Verdict | undefined> {
  return (chosen ??= (async () => {
    let best: (Verdict & { state: 'right' }) | undefined;
    for (const provider of providersToTry()) {
      const verdict = await verdictOn(provider, open);
      const sentence = passedOver(verdict);
      if (sentence !== undefined) providerNotice(sentence);
      if (verdict.state !== 'right' || isSlow(verdict)) continue;
      if (!best || verdict.seconds < best.seconds) best = verdict;
    }
    return best;
  })());
}

/** Why `auto` does without a provider that is there, for people; undefined where it does not, or there is none. */
function passedOver(verdict: Verdict): string | undefined {
  const { provider } = verdict;
  if (verdict.state === 'right')
    return isSlow(verdict)
      ? messages['provider.slow']({ provider, times: Math.round(verdict.seconds / verdict.cpuSeconds) })
      : undefined;
  if (verdict.state === 'absent') return undefined;
  if (verdict.state === 'wrong') return messages['provider.wrong']({ provider });
  return messages['provider.unusable']({ provider, why: verdict.why });
}
