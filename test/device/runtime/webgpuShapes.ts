import './keptTrials.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Model } from '../../../src-main/engine/checkpoints/model.ts';
import { openModel } from '../../../src-main/engine/checkpoints/openModel.ts';
import {
  compareLosses,
  compareNetworks,
  compareStep,
  type StepKind,
} from '../../../src-main/features/gpuCheck/agreement.ts';
import type { Finding } from '../../../src-main/features/gpuCheck/findings.ts';
import { onProviderNotice } from '../../../src-main/engine/runtime/notices.ts';
import { checkModel, type CheckShape } from '../../../src-main/features/gpuCheck/models.ts';
import { comparePicture } from '../../../src-main/features/gpuCheck/picture.ts';

// A process of its own, for a crash of the driver ends it. Words: a shape ("mini", or "sd1" and "sd2", a tenth as wide; "sd1-whole" at full
// width), the side of its latents, what ("networks", training "steps", in f16 the "losses" of 50 steps, or a "picture"), and of steps and
// losses the kind ("lora", "full", "distill", "few"; all four when left out). Prints the findings, and on stderr each at once, and each
// loss: by hand some of these take many minutes.

const [shape = '', side = '', what = '', onlyKind] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'likeness-shapes-'));
const narrow = (name: CheckShape) => checkModel(name, true, folder);
const mini = openModel(resolve('models/likeness-mini'));
const models: Readonly<Record<string, () => Model>> = {
  mini: () => mini,
  sd1: () => narrow('sd1'),
  sd2: () => narrow('sd2'),
  'sd1-whole': () => checkModel('sd1', false, folder),
};
const open = models[shape];
if (!open) throw new Error(`no such shape: ${shape}`);
const model = open();
/** Where there is a smaller model of the same prompts, that one learns. */
const students: Readonly<Record<string, CheckShape>> = { sd1: 'bk-sdm-tiny', sd2: 'bk-sdm-v2-tiny' };
const smaller = students[shape];
const student = smaller ? narrow(smaller) : model;
const kinds: Readonly<Record<string, readonly [string, Model, StepKind]>> = {
  lora: ['LoRA step', model, 'lora'],
  full: ['Full step', model, 'full'],
  distill: ['Distillation step', student, { teacher: model }],
  few: ['Few-step distillation step', model, 'few steps'],
};
const chosen = Object.entries(kinds).filter(([kind]) => kind === (onlyKind ?? kind));
if (chosen.length === 0) throw new Error(`no such kind of step: ${onlyKind}`);
// A fall-back to the CPU, or to f32.
onProviderNotice((sentence) => console.error(sentence));
const findings: Finding[] = [];
const options = {
  provider: 'webgpu',
  latents: Number(side),
  tell: (one: Finding) => {
    findings.push(one);
    console.error(`${one.what}: ${one.found}`);
  },
} as const;
const compare: Readonly<Record<string, () => Promise<void>>> = {
  networks: () => compareNetworks(model, options),
  steps: async () => {
    for (const [, [name, learns, kind]] of chosen) await compareStep(name, learns, kind, options);
  },
  losses: async () => {
    const half = { ...options, precision: 'f16', steps: 50 } as const;
    const each = (...[step, ...pair]: [number, number, number]): void =>
      console.error(`${step + 1}: ${pair.map((loss) => loss.toPrecision(6)).join(' for ')}`);
    for (const [, [name, learns, kind]] of chosen) await compareLosses(name, learns, kind, { ...half, each });
  },
  picture: () => {
    const size = { size: 8 * options.latents, steps: 4, precision: 'f16' } as const;
    return comparePicture(model, { ...options, ...size }, model.tokenizer ? undefined : mini);
  },
};
const run = compare[what];
if (!run) throw new Error(`no such comparison: ${what}`);
await run();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(findings));
