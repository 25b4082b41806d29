import type { EventName, Output, Payload, RequestName, ValidInput } from '../../src-shared/contract/index.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Library } from '../storage/library.ts';

/** What only the shell can do: Electron, or a browser, which can do less. */
export interface Shell {
  readonly kind: 'app' | 'browser';
  /** Shows a file in the system's file manager. Errors: `request.onlyApp`. */
  readonly reveal: (file: string) => Promise<void>;
  /** Asks for files or folders; none when the person closed the dialog. Errors: `request.onlyApp`. */
  readonly browse: (what: 'photos' | 'folder' | 'model' | 'file') => Promise<string[]>;
  /** Hands a file or folder to the system's trash. */
  readonly trash: (file: string) => Promise<void>;
}

/** What comes with Likeness. */
export interface Shipped {
  readonly version: string;
  /** A diffusers folder. */
  readonly model: string;
  readonly sample: { readonly photos: string; readonly classNoun: string };
  readonly scorers: { readonly mobileNet: string; readonly likenessScorer: string };
}

/** The result of scanning a part of the library's folder. */
export interface Found {
  readonly added: number;
  readonly moved: number;
  readonly missing: number;
}

/** What every request works with. */
export interface StudioContext {
  readonly library: Library;
  readonly queue: JobQueue;
  readonly shell: Shell;
  readonly shipped: Shipped;
  /** Tells every window. */
  readonly emit: <N extends EventName>(event: N, payload: Payload<N>) => void;
}

/** What jobs work with: the queue owns them. */
export type Surroundings = Omit<StudioContext, 'queue'>;

/** The functions that answer the requests of one domain: `Handlers<'gallery'>`. */
export type Handlers<Domain extends string> = {
  readonly [N in Extract<RequestName, `${Domain}.${string}`>]: (
    input: ValidInput<N>,
  ) => Output<N> | Promise<Output<N>>;
};
