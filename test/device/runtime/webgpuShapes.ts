import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import {
  compareNetworks,
  compareStep,
  type StepKind,
} from '../../../src-main/features/gpuCheck/agreement.ts';
import type { Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { checkModel } from '../../../src-main/features/gpuCheck/models.ts';

// A process of its own, for a crash of the driver ends it. Words: a shape ("mini", or "sd1" and "sd2", a tenth as wide), the side of its
// latents, and "networks" or "steps". Prints the findings.

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
if (what === 'networks') await compareNetworks(model, options);
else for (const [name, learns, kind] of kinds) await compareStep(name, learns, kind, options);
rmSync(folder, { recursive: true });
console.log(JSON.stringify(findings));
