import os from 'node:os';
import { openModel } from '../../engine/checkpoints/openModel.ts';
import { graphicsDevices } from '../../engine/runtime/graphicsDevice.ts';
import { providersToTry } from '../../engine/runtime/providers.ts';
import { examine } from '../../engine/runtime/session.ts';
import type { Verdict } from '../../engine/runtime/verdict.ts';
import { cacheFolder } from '../../places.ts';
import { compareLosses, compareNetworks, compareStep } from './agreement.ts';
import { tellTo, type Tell } from './findings.ts';
import { checkModel, type CheckShape } from './models.ts';
import { comparePicture, timePicture } from './picture.ts';
import type { CheckPart, CheckPartRequest } from './request.ts';
import { gigabytes, profileStep, timeForward, timeStep } from './speed.ts';
import { plural } from '../../../src-shared/plural.ts';

/** Runs one part in this process, and tells each finding at once. Errors: whatever a part may throw. */
export async function checkPart(request: CheckPartRequest, shippedModel: string): Promise<void> {
  const { part, findings, provider, small } = request;
  const tell = tellTo(findings);
  if (part === 'device') return lookAtDevices(request, tell);
  if (!provider) throw new Error('a part needs a provider');
  const model = (shape: CheckShape) => checkModel(shape, small, cacheFolder());
  const mini = () => openModel(shippedModel);
  // 1,024 tokens in the outermost attention of the small model, 256 of the large ones: the CPU computes all this too.
  const compared = { provider, latents: 16, tell };
  const timed = { provider, latents: small ? 16 : 64, tell };
  const parts: Record<Exclude<CheckPart, 'device'>, () => Promise<void>> = {
    mini: async () => {
      const own = { ...compared, latents: small ? 16 : 32 };
      await compareNetworks(mini(), own);
      await compareStep('LoRA step', mini(), 'lora', own);
      await compareStep('Full step', mini(), 'full', own);
      await compareStep('Distillation step', mini(), { teacher: mini() }, own);
      await compareStep('Few-step distillation step', mini(), 'few steps', own);
    },
    picture: () => comparePicture(mini(), { provider, size: small ? 64 : 128, steps: small ? 4 : 20, tell }),
    half: async () => {
      const verdict = await examine(provider, 'f16');
      tell({
        what: `Provider ${provider} in f16`,
        found: verdictText(verdict),
        right: verdict.state === 'right',
      });
      if (verdict.state !== 'right') return;
      await compareLosses('LoRA step', mini(), 'lora', { ...compared, precision: 'f16', steps: 50 });
      const size = small ? 64 : 128;
      await comparePicture(mini(), { provider, precision: 'f16', size, steps: small ? 4 : 20, tell });
    },
    'tiny-speed': async () => {
      await timeForward(model('bk-sdm-tiny'), timed);
      await timeStep(model('bk-sdm-tiny'), 'lora', timed);
      await timeStep(model('bk-sdm-tiny'), 'lora', { ...timed, precision: 'f16' });
      await timeStep(model('bk-sdm-tiny'), 'full', timed);
      await profileStep(model('bk-sdm-tiny'), timed);
    },
    sd1: async () => {
      await compareNetworks(model('sd1'), compared);
      await compareStep('LoRA step', model('sd1'), 'lora', compared);
    },
    'sd1-speed': async () => {
      await timeForward(model('sd1'), timed);
      await timeStep(model('sd1'), 'lora', timed);
      await timeForward(model('sd1'), { ...timed, precision: 'f16' });
      await timeStep(model('sd1'), 'lora', { ...timed, precision: 'f16' });
    },
    'sd1-picture': () =>
      timePicture(model('sd1'), mini(), { provider, size: small ? 128 : 512, steps: small ? 2 : 20, tell }),
    tiny: async () => {
      await compareStep('Full step', model('bk-sdm-tiny'), 'full', compared);
      await compareStep('Distillation step', model('bk-sdm-tiny'), { teacher: model('sd1') }, compared);
    },
    sd2: async () => {
      await compareNetworks(model('sd2'), compared);
      await compareStep('LoRA step', model('sd2'), 'lora', compared);
    },
  };
  return parts[part]();
}

/** Times the CPU's time from which on a device, a driver in software, would not come to the end of anything of the published shapes. */
const hopeless = 10;

/** Reports the devices and the verdict on each provider, and which one will be checked. */
async function lookAtDevices({ provider: wanted }: CheckPartRequest, tell: Tell): Promise<void> {
  tell({ what: 'System', found: `${os.type()} ${os.release()} ${os.arch()}, Node ${process.versions.node}` });
  tell({
    what: 'CPU',
    found: `${os.cpus()[0]?.model.trim() ?? 'unknown'}, ${plural(os.availableParallelism(), 'thread', 'threads')}`,
  });
  tell({ what: 'Memory', found: gigabytes(os.totalmem()) });
  for (const { name, driver, memory } of await graphicsDevices())
    tell({ what: 'Graphics', found: `${name}, driver ${driver}${memory ? `, ${gigabytes(memory)}` : ''}` });
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'])
    if (process.env[name]) tell({ what: name, found: process.env[name] });
  let best: (Verdict & { state: 'right' }) | undefined;
  for (const provider of wanted ? [wanted] : providersToTry()) {
    const verdict = await examine(provider);
    if (verdict.state === 'right' && (!best || verdict.seconds < best.seconds)) best = verdict;
    tell({
      ...{ what: `Provider ${provider}`, found: verdictText(verdict) },
      ...(verdict.state !== 'absent' && { right: verdict.state === 'right' }),
    });
  }
  if (!best) return;
  const { provider, seconds, cpuSeconds } = best;
  const small = seconds > hopeless * cpuSeconds;
  tell({
    ...{ what: 'Checked', provider, ...(small && { small }) },
    found: small ? `${provider}, with narrow networks: it is much slower than the CPU` : provider,
  });
}

function verdictText(verdict: Verdict): string {
  if (verdict.state === 'right') {
    const { error, seconds, cpuSeconds, fusedAttention } = verdict;
    const fused = fusedAttention ? 'fused attention right' : 'attention in products';
    return `right in its trial: ${error.toExponential(1)} off, ${seconds.toPrecision(2)} s where the CPU takes ${cpuSeconds.toPrecision(2)} s, ${fused}`;
  }
  if (verdict.state === 'wrong') return `wrong in its trial: ${verdict.error.toExponential(1)} off`;
  return `${verdict.state}: ${verdict.why}`;
}
