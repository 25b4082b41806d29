import type { FinetuneSettings, LoraSettings } from '../../../../src-shared/domain/finetuneSettings.ts';
import { networksOf, weightsOf, type Model } from '../../checkpoints/model.ts';
import { expectTensor, readF32 } from '../../checkpoints/weights.ts';
import { input } from '../../graph/build.ts';
import { addedInputs } from '../../models/addedEmbedding.ts';
import { contextWidth, encodePrompt, promptEndsInput, promptLength } from '../../models/textEncoders.ts';
import { unet } from '../../models/unet.ts';
import { Scope, type AdapterMethod, type ScopeOptions } from '../../nn/scope.ts';
import type { HostTensor, Shape } from '../../tensor/tensor.ts';
import { freshLora, targetedModules, trainedLora, type Part, type TrainedLora } from './trainedLora.ts';
import { startFrom, emptyStart, type StartSizes } from './startingLora.ts';
import { wordsToTrain, type TrainedWords, type WordSettings } from './trainedWords.ts';
import { generatorFor } from '../../tensor/seeded.ts';
import { entryOf } from '../../../../src-shared/entryOf.ts';

/** LoRA adapters of the networks that are trained. */
export interface PartAdapters {
  readonly unet: ScopeOptions['adapters'];
  /** Of all text encoders. */
  readonly textEncoder: ScopeOptions['adapters'];
}

/** What a run trains: parameter names, where they start, and the adapters the networks are built with. */
export interface Trained {
  readonly names: readonly string[];
  readonly initial: (name: string) => HostTensor<'f32'>;
  readonly adapters?: PartAdapters;
  /** For a LoRA run: the parts' adapters, for writing them. */
  readonly loras: readonly { readonly part: Part; readonly lora: TrainedLora }[];
  /** The words that a textual inversion learns. */
  readonly words?: TrainedWords;
}

type NetworkSettings = Pick<FinetuneSettings, 'trainTextEncoder' | 'lora' | 'textLora' | 'seed'> & {
  readonly method: Exclude<FinetuneSettings['method'], 'embedding'>;
  readonly initLora?: string | undefined;
  /** Replaces the file, for workers that only compute gradients. */
  readonly start?: StartSizes | undefined;
};
type Settings = NetworkSettings | (Omit<NetworkSettings, 'method'> & WordSettings);

export function whatToTrain(model: Model, settings: Settings): Trained {
  const { method } = settings;
  if (method === 'embedding') return wordsAlone(model, settings);
  return method === 'full' ? wholeNetworks(model, settings) : adaptersOnly(model, settings, method);
}

/** Builds a part on a scope, only to learn which weights it has. */
export function buildPart(model: Model, part: Part): (scope: Scope) => void {
  const { config } = model.unet;
  if (part !== 'unet')
    return (scope) => {
      const tokens = {
        ids: input('input_ids', [1, promptLength(model)], 'i64'),
        ...promptEndsInput(model, 1),
      };
      encodePrompt((name) => (name === part ? scope : Scope.root(name)), tokens, model);
    };
  const length = model.textEncoder.config.max_position_embeddings;
  const [height, width] = config.sample_size;
  return (scope) => {
    const sample = input('sample', [1, config.in_channels, height, width]);
    const context = input('context', [1, length, contextWidth(model)]);
    const inputs = { sample, timesteps: input('timesteps', [1], 'i64'), context };
    unet(scope, { ...inputs, ...addedInputs(config, 1) }, config);
  };
}

/** Every weight of the U-Net, and of the text encoder where it is trained too. */
export function wholeNetworks(
  model: Model,
  { trainTextEncoder }: Pick<FinetuneSettings, 'trainTextEncoder'>,
): Trained {
  const shapes = new Map<string, Shape>();
  const collect = (part: Part): void =>
    buildPart(model, part)(Scope.root(part, { onWeight: (name, shape) => void shapes.set(name, shape) }));
  for (const part of trainedParts(model, trainTextEncoder)) collect(part);
  const initial = (name: string): HostTensor<'f32'> => {
    const [part, ...rest] = name.split('.');
    const weights = weightsOf(model, part as Part);
    return readF32(expectTensor(weights, rest.join('.'), entryOf(shapes, name)));
  };
  return { names: [...shapes.keys()], initial, loras: [] };
}

/** The U-Net, and all text encoders where they are trained too. */
function trainedParts(model: Model, trainTextEncoder: boolean): Part[] {
  return trainTextEncoder ? networksOf(model) : ['unet'];
}

function adaptersOnly(
  model: Model,
  settings: Omit<NetworkSettings, 'method'>,
  method: AdapterMethod,
): Trained {
  const { initLora, start: sizes } = settings;
  const start = sizes
    ? emptyStart(sizes, method)
    : initLora === undefined
      ? undefined
      : startFrom(initLora, model, method);
  const weightOf = (part: Part) => (module: string, shape: Shape) =>
    readF32(expectTensor(weightsOf(model, part), `${module}.weight`, shape));
  const make = (part: Part, own: LoraSettings): { part: Part; lora: TrainedLora } => {
    const modules = targetedModules(part, buildPart(model, part), own.targets);
    const lora = start
      ? trainedLora([...modules].map(([module, shape]) => start.take(part, module, shape)))
      : freshLora(part, modules, own, generatorFor(settings.seed, `lora ${part}`), method, weightOf(part));
    return { part, lora };
  };
  const loras = trainedParts(model, settings.trainTextEncoder).map((part) =>
    make(part, part === 'unet' ? settings.lora : settings.textLora),
  );
  start?.refuseLeft();
  const values = new Map(loras.flatMap(({ lora }) => [...lora.values]));
  return {
    names: [...values.keys()],
    initial: (name) => entryOf(values, name),
    adapters: {
      unet: loras[0]?.lora.adapters,
      textEncoder: settings.trainTextEncoder
        ? new Map(loras.slice(1).flatMap(({ lora }) => [...lora.adapters]))
        : undefined,
    },
    loras,
  };
}

function wordsAlone(model: Model, settings: WordSettings): Trained {
  const { words, initial } = wordsToTrain(model, settings);
  return { names: [words.parameter], initial: () => initial, loras: [], words };
}
