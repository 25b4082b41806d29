import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../engine/checkpoints/files.ts';
import type { ModelPart } from '../../engine/checkpoints/model.ts';
import { readSafetensors } from '../../engine/checkpoints/safetensors.ts';
import { writeSafetensors, type TensorSource } from '../../engine/checkpoints/writeSafetensors.ts';
import { input } from '../../engine/graph/build.ts';
import { leaves, type Graph } from '../../engine/graph/graph.ts';
import { clipTextModel } from '../../engine/models/clip.ts';
import { unet } from '../../engine/models/unet.ts';
import { vaeDecode, vaeEncode } from '../../engine/models/vae.ts';
import { Scope } from '../../engine/nn/scope.ts';
import { onnxModel } from '../../engine/onnx/model.ts';
import { pixelsPerLatent } from '../../engine/pipelines/textToImage.ts';
import { partNames } from '../../engine/pipelines/weights.ts';
import type { OpenedRun } from './openRun.ts';

/** Folder names of the exported networks, as Optimum uses them. */
export const onnxParts = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'] as const;
export type OnnxPart = (typeof onnxParts)[number];

/**
 * Writes `<part>/model.onnx` for each network, with standard operations only and for one picture of the run's size, and
 * its weights beside it in `weights.safetensors`, which the model points into.
 */
export function exportOnnx(run: OpenedRun, out: string, dtype: 'f32' | 'f16' | undefined): void {
  for (const part of onnxParts) {
    const folder = join(out, part);
    makeFolder(folder);
    const graph = partGraph(run, part);
    const [network, changes, name] = partOf(run, part);
    const prefix = `${name}.`;
    const names = [...leaves(graph, 'parameter').keys()].map((full) => full.slice(prefix.length));
    const file = join(folder, 'weights.safetensors');
    writeSafetensors(
      file,
      names.map((tensor) => ({
        name: tensor,
        tensor: changes?.get(tensor) ?? (network.weights.get(tensor) as TensorSource),
        dtype,
      })),
    );
    const { tensors } = readSafetensors(file);
    const model = onnxModel(graph, {
      target: 'portable',
      weights: (full) => {
        const entry = tensors.get(full.slice(prefix.length));
        return entry && { ...entry, location: 'weights.safetensors' };
      },
    });
    writeFileSync(join(folder, 'model.onnx'), model);
  }
}

/** One network's graph for one picture. */
function partGraph({ model, size }: Pick<OpenedRun, 'model' | 'size'>, part: OnnxPart): Graph {
  const { unet: denoiser, vae, textEncoder } = model;
  const side = size / pixelsPerLatent(vae.config);
  const tokens = textEncoder.config.max_position_embeddings;
  const latents = (name: string): ReturnType<typeof input> =>
    input(name, [1, denoiser.config.in_channels, side, side]);
  switch (part) {
    case 'text_encoder': {
      const ids = input('input_ids', [1, tokens], 'i64');
      return {
        outputs: {
          last_hidden_state: clipTextModel(Scope.root(partNames.textEncoder), ids, textEncoder.config),
        },
      };
    }
    case 'unet': {
      const context = input('encoder_hidden_states', [1, tokens, textEncoder.config.hidden_size]);
      const inputs = { sample: latents('sample'), timesteps: input('timestep', [1]), context };
      return { outputs: { out_sample: unet(Scope.root(partNames.unet), inputs, denoiser.config).sample } };
    }
    case 'vae_encoder': {
      const image = input('sample', [1, vae.config.in_channels, size, size]);
      return { outputs: { ...vaeEncode(Scope.root(partNames.vae), image, vae.config) } };
    }
    case 'vae_decoder':
      return {
        outputs: { sample: vaeDecode(Scope.root(partNames.vae), latents('latent_sample'), vae.config) },
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
