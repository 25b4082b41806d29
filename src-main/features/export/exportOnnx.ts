import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import type { ModelPart } from '../../engine/checkpoints/model.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { writeSafetensors, type TensorSource } from '../../engine/checkpoints/writeSafetensors.ts';
import { concat, input } from '../../engine/graph/build.ts';
import { leaves, type Graph } from '../../engine/graph/graph.ts';
import { clipTextModel } from '../../engine/models/clip.ts';
import { guidanceInput } from '../../engine/models/guidanceEmbedding.ts';
import { unet } from '../../engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../engine/models/vae.ts';
import { Scope } from '../../engine/nn/scope.ts';
import { standInBatch, withAnyBatch } from '../../engine/onnx/anyBatch.ts';
import { modelProto } from '../../engine/onnx/model.ts';
import { encodeModel } from '../../engine/onnx/schema.ts';
import { tokenizerOf } from '../../engine/pipelines/openTokenizer.ts';
import { writeSurroundings } from '../../engine/checkpoints/writeModel.ts';
import { pixelsPerLatent } from '../../engine/pipelines/textToImage.ts';
import { partNames } from '../../engine/pipelines/weights.ts';
import type { OpenedRun } from './openRun.ts';
import { problem } from '../../../src-shared/messages/index.ts';
import { entryOf } from '../../../src-shared/entryOf.ts';

/** Folder names of the exported networks, as Optimum uses them. */
export const onnxParts = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'] as const;
export type OnnxPart = (typeof onnxParts)[number];

/**
 * A pipeline folder as Optimum's ORTStableDiffusionPipeline and diffusers' OnnxStableDiffusionPipeline load it: for each network
 * `<part>/model.onnx`, with standard operations only and for pictures of the run's size, any number at once; its weights beside it in
 * `weights.safetensors`, which the model points into; its config; the tokenizer, the scheduler and `model_index.json`.
 */
export function exportOnnx(run: OpenedRun, out: string, dtype: 'f32' | 'f16' | undefined): void {
  const { model } = run;
  if (model.textEncoder2) throw problem('model.notForXl', { model: model.path, what: 'the ONNX export' });
  const sizes = [model.unet, model.vae, model.textEncoder].flatMap(({ weights }) =>
    weights.names().flatMap((name) => weights.get(name)?.shape ?? []),
  );
  const batch = standInBatch(sizes);
  for (const part of onnxParts) {
    const folder = join(out, part);
    makeFolder(folder);
    const graph = partGraph(run, part, batch);
    const [network, changes, name] = partOf(run, part);
    const prefix = `${name}.`;
    const names = [...leaves(graph, 'parameter').keys()].map((full) => full.slice(prefix.length));
    const file = join(folder, 'weights.safetensors');
    writeSafetensors(
      file,
      names.map((tensor) => ({
        name: tensor,
        tensor: changes?.get(tensor) ?? entryOf(network.weights, tensor),
        dtype,
      })),
    );
    const { tensors } = readSafetensors(file);
    const proto = modelProto(graph, {
      target: 'portable',
      weights: (full) => {
        const entry = tensors.get(full.slice(prefix.length));
        return entry && { ...entry, location: 'weights.safetensors' };
      },
    });
    writeFileSync(join(folder, 'model.onnx'), encodeModel(withAnyBatch(proto, batch)));
    writeFileSync(join(folder, 'config.json'), network.configText);
  }
  writeSurroundings(out, model, tokenizerOf(model), {
    _class_name: 'OnnxStableDiffusionPipeline',
    ...Object.fromEntries(onnxParts.map((part) => [part, ['diffusers', 'OnnxRuntimeModel']])),
  });
}

/** One network's graph for `batch` pictures. */
function partGraph({ model, size }: Pick<OpenedRun, 'model' | 'size'>, part: OnnxPart, batch: number): Graph {
  const { unet: denoiser, vae, textEncoder } = model;
  const side = size / pixelsPerLatent(vae.config);
  const tokens = textEncoder.config.max_position_embeddings;
  const latents = (name: string, channels: number): ReturnType<typeof input> =>
    input(name, [batch, channels, side, side]);
  switch (part) {
    case 'text_encoder': {
      const ids = input('input_ids', [batch, tokens], 'i64');
      return {
        outputs: {
          last_hidden_state: clipTextModel(Scope.root(partNames.textEncoder), ids, textEncoder.config),
        },
      };
    }
    case 'unet': {
      const context = input('encoder_hidden_states', [batch, tokens, textEncoder.config.hidden_size]);
      const sample = latents('sample', denoiser.config.in_channels);
      const guidance = guidanceInput(denoiser.config, batch, 'timestep_cond');
      const inputs = { sample, timesteps: input('timestep', [batch]), context, ...guidance };
      return { outputs: { out_sample: unet(Scope.root(partNames.unet), inputs, denoiser.config).sample } };
    }
    case 'vae_encoder': {
      const image = input('sample', [batch, vae.config.in_channels, size, size]);
      const { mean, logvar } = vaeEncode(Scope.root(partNames.vae), image, vae.config);
      return { outputs: { latent_parameters: concat([mean, logvar], 1) } };
    }
    case 'vae_decoder':
      return {
        outputs: {
          sample: vaeDecode(
            Scope.root(partNames.vae),
            latents('latent_sample', vae.config.latent_channels),
            vae.config,
          ),
        },
      };
  }
}

function partOf(
  { model, changes }: OpenedRun,
  part: OnnxPart,
): [ModelPart<unknown>, ReadonlyMap<string, TensorSource> | undefined, string] {
  if (part === 'unet') return [model.unet, changes.unet, partNames.unet];
  if (part === 'text_encoder') return [model.textEncoder, changes.textEncoder, partNames.textEncoder];
  return [model.vae, changes.vae, partNames.vae];
}
