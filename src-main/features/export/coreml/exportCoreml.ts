import { join } from 'node:path';
import { problem } from '../../../../src-shared/messages/index.ts';
import { expectTensor } from '../../../engine/checkpoints/weights.ts';
import { writeAtomically, type TensorSource } from '../../../engine/checkpoints/writeSafetensors.ts';
import type { Model } from '../../../engine/checkpoints/model.ts';
import { writePackage } from '../../../engine/coreml/package.ts';
import { milModel, type ComputeType } from '../../../engine/coreml/program.ts';
import { seesMasks } from '../../../engine/models/config.ts';
import { readTokenizerFiles } from '../../../engine/models/tokenizerFiles.ts';
import { publishedTokenizer } from '../../../engine/models/publishedTokenizer.ts';
import { tokenizerOf } from '../../../engine/pipelines/openTokenizer.ts';
import { partNames } from '../../../engine/pipelines/weights.ts';
import type { OpenedRun } from '../openRun.ts';
import { appleNetwork, applePartsOf, type ApplePart } from './appleGraphs.ts';

/**
 * The resources of Apple's Core ML Stable Diffusion library (apple/ml-stable-diffusion): a package for each network, for pictures of the
 * run's size, and the tokenizer. The library loads compiled packages, and only a Mac compiles them: `compileNote`. Errors:
 * `export.notForApple`, `export.overflow`, `tensor.*`, `tokenizer.*`, `file.unwritable`.
 */
export async function exportCoreml(run: OpenedRun, out: string, dtype: ComputeType = 'f16'): Promise<void> {
  const { model, size } = run;
  refuseForApple(model);
  for (const part of applePartsOf(model)) {
    const computes = computesIn(model, part, dtype);
    const { graph, features } = appleNetwork(model, part, size, computes);
    const about = `${part} of ${run.subject ?? 'a Stable Diffusion model'}, made by Likeness`;
    writePackage(
      join(out, `${part}.mlpackage`),
      milModel(graph, { computes, weights: weightsOf(run), about, features }),
    );
  }
  await writeTokenizer(out, model);
}

/** SDXL's VAE overflows in f16; Apple's converter computes it in f32 too. */
function computesIn({ textEncoder2 }: Model, part: ApplePart, dtype: ComputeType): ComputeType {
  return textEncoder2 && part.startsWith('VAE') ? 'f32' : dtype;
}

/** What is still to do, for people. */
export const compileNote =
  'Apple\'s library loads compiled packages, and only a Mac compiles them. In the folder of the export, type there: for p in *.mlpackage; do xcrun coremlcompiler compile "$p" .; done';

function refuseForApple({ path: model, unet, scheduler }: Model): void {
  const refuse = (why: string): never => {
    throw problem('export.notForApple', { model, why });
  };
  if (seesMasks(unet.config)) refuse('is made for inpainting');
  if (unet.config.time_cond_proj_dim !== null || scheduler['_class_name'] === 'LCMScheduler')
    refuse('draws in few steps with the sampler lcm');
}

/** The run's tensors: its own where it changed them, else the model's. */
function weightsOf({ model, changes }: OpenedRun): (name: string, shape: readonly number[]) => TensorSource {
  const parts = new Map(
    (['unet', 'vae', 'textEncoder', 'textEncoder2'] as const).map((key) => [
      partNames[key],
      { weights: model[key]?.weights, changed: changes[key] },
    ]),
  );
  return (name, shape) => {
    const [part = '', ...rest] = name.split('.');
    const tensor = rest.join('.');
    const { weights, changed } = parts.get(part) ?? {};
    if (!weights) throw new Error(`no network has the tensor ${name}`);
    return changed?.get(tensor) ?? expectTensor(weights, tensor, shape);
  };
}

/** `vocab.json` and `merges.txt`, as Apple's tokenizer reads them: two words a line, and each token's number. */
async function writeTokenizer(out: string, model: Model): Promise<void> {
  const own = tokenizerOf(model);
  const published = own ? undefined : publishedTokenizer(model.textEncoder.config);
  if (!own && !published) throw problem('model.missingPart', { file: model.path, part: 'tokenizer' });
  const { ids, merges } = published
    ? await readTokenizerFiles(model.path, (name) => Promise.resolve(published[name]))
    : await readTokenizerFiles(own?.folder ?? model.path);
  const lines = ['#version: 0.2', ...merges.map((pair) => pair.join(' ')), ''];
  writeAtomically(join(out, 'vocab.json'), () => [Buffer.from(JSON.stringify(Object.fromEntries(ids)))]);
  writeAtomically(join(out, 'merges.txt'), () => [Buffer.from(lines.join('\n'))]);
}
