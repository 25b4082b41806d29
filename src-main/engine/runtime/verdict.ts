import type { Provider } from '../../../src-shared/domain/providers.ts';

/** What came of trying a provider on this machine. */
export type Verdict =
  | {
      readonly provider: Provider;
      readonly state: 'right';
      /** Seconds of the trial's best run after the first, and of the same on the CPU. */
      readonly seconds: number;
      readonly cpuSeconds: number;
      /** Largest relative error against the CPU. */
      readonly error: number;
      /** Whether the fused attention came out right too. */
      readonly fusedAttention: boolean;
    }
  | { readonly provider: Provider; readonly state: 'wrong'; readonly error: number }
  /** `absent`: no session could be made; `failed`: it was made and did not run; `crashed`: it took its process with it. */
  | { readonly provider: Provider; readonly state: 'absent' | 'failed' | 'crashed'; readonly why: string };

/** A trial is small, and small work flatters the CPU. */
const handicap = 2;

/** Whether the CPU is faster. */
export const isSlow = ({ seconds, cpuSeconds }: Verdict & { state: 'right' }): boolean =>
  seconds > handicap * cpuSeconds;
