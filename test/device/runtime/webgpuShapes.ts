import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import {
  compareLosses,
  compareNetworks,
  compareStep,
  type StepKind,
} from '../../../src-main/features/gpuCheck/agreement.ts';
import type { Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { checkModel } from '../../../src-main/features/gpuCheck/models.ts';
import { examine } from '../../../src-main/engine/runtime/session.ts';

// A process of its own, for a crash of the driver ends it. Words: a shape ("mini", or "sd1" and "sd2", a tenth as wide), the side of its
// latents, "networks" or "f32" for steps in it, or "f16" for the losses of 50 steps. Prints {"findings", "half": the verdict on f16}.

const [shape = '', side = '', what = ''] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'likeness-shapes-'));
const narrow = (name: 'sd1' | 'sd2' | 'bk-sdm-tiny') => checkModel(name, true, folder);
const model =
  shape === 'mini' ? openModel(resolve('models/likeness-mini')) : narrow(shape === 'sd2' ? 'sd2' : 'sd1');
/** Where there is a smaller model of the same prompts, that one learns. */
const student = shape === 'sd1' ? narrow('bk-sdm-tiny') : model;
const kinds: readonly (readonly [string, typeof model, StepKind])[] = [
  ['LoRA step', model, 'lora'],
  ['Full step', model, 'full'],
  ['Distillation step', student, { teacher: model }],
];
const findings: Finding[] = [];
const options = {
  provider: 'webgpu',
  latents: Number(side),
  tell: (one: Finding) => void findings.push(one),
} as const;
const { state } = await examine('webgpu', 'f16');
if (what === 'networks') await compareNetworks(model, options);
else
  for (const [name, learns, kind] of kinds)
    if (what === 'f32') await compareStep(name, learns, kind, options);
    else if (state === 'right')
      await compareLosses(name, learns, kind, { ...options, precision: 'f16', steps: 50 });
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ findings, half: state }));
