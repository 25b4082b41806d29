import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joined, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finetuneSettings, trainingSettingsOf } from '../../../../src-shared/domain/finetuneSettings.ts';
import { completeSettings } from '../../../../src-shared/domain/settingValues.ts';
import { LikenessError } from '../../../../src-shared/messages/index.ts';
import { modelHash } from '../../../../src-main/engine/checkpoints/modelHash.ts';
import { openModel } from '../../../../src-main/engine/checkpoints/openModel.ts';
import { input, meanSquaredError, parameter } from '../../../../src-main/engine/graph/build.ts';
import { layoutOf } from '../../../../src-main/engine/training/loss/gradients.ts';
import { openSharedRun, type SharedRun } from '../../../../src-main/engine/training/team/sharedRun.ts';
import { Team } from '../../../../src-main/engine/training/team/team.ts';
import { join } from '../../../../src-main/features/join.ts';

const model = resolve('test/golden/fixtures/models/tiny-sd1');
const { signal } = new AbortController();
const settings = trainingSettingsOf(
  completeSettings(finetuneSettings, { model, photos: '/photos', classNoun: 'dog', size: 64 }),
);
const honest: SharedRun = {
  ...{ kind: 'finetune', settings, prior: false, masked: false },
  ...{ rows: 1, latents: [4, 8, 8], modelHash: modelHash(openModel(model)) },
};
const layout = layoutOf({
  loss: meanSquaredError(parameter('weight', [3]), input('target', [3])),
  trained: ['weight'],
});

/** A worker joins what says it is a run, and has `known` models; `complaints` of it must reach the run, whose model is `sent`. */
async function joining(
  run: unknown,
  known: () => string[] = () => [model],
  complained = true,
  { sent, keep }: { readonly sent?: string; readonly keep?: string } = {},
) {
  const complaints: LikenessError[] = [];
  const { team, port } = await Team.open({
    ...{ layout, run, listen: '127.0.0.1:0', signal, report: () => undefined },
    modelOf: () => (sent === undefined ? undefined : openModel(sent)),
    onUnfit: (error) => complaints.push(error),
  });
  const request = { address: `127.0.0.1:${port}`, token: team.token, provider: 'cpu' as const };
  const error = await join(
    { ...request, known, ...(keep !== undefined && { keep }) },
    { signal, report: () => undefined },
  ).then(
    () => expect.fail('the worker worked'),
    (thrown: unknown) => (thrown instanceof LikenessError ? thrown : expect.fail(String(thrown))),
  );
  if (complained) await expect.poll(() => complaints).toHaveLength(1);
  await team.dispose();
  return { error, complaints };
}

describe('a worker that joins', { timeout: 600_000 }, () => {
  const big = { ...settings, lora: { ...settings.lora, rank: 60_000 } };
  it.each([
    ['nothing', null],
    ['a word', 'run'],
    ['half a run', { kind: 'finetune', rows: 1 }],
    ['another kind', { ...honest, kind: 'mine' }],
    ['rank 60,000', { ...honest, settings: big }],
    ['a start of rank 60,000', { ...honest, start: [{ part: 'unet', module: 'x', rank: 60_000, scale: 1 }] }],
    ['no rank', { ...honest, settings: { ...settings, lora: { ...settings.lora, rank: 0 } } }],
    ['a path of the model', { ...honest, settings: { ...settings, model: '/etc' } }],
    ['a path of a LoRA', { ...honest, settings: { ...settings, initLora: '/etc/passwd' } }],
    ['a billion rows', { ...honest, rows: 1_000_000_000 }],
    ['batches of gigabytes', { ...honest, rows: 1024, latents: [4, 512, 512] }],
    ['a hash that is a path', { ...honest, modelHash: '../../etc/passwd' }],
  ])('refuses %s, and says so at both ends', async (_, run) => {
    const known = (): string[] => expect.fail('a model was looked for');
    const { error, complaints } = await joining(run, known);
    expect(error).toMatchObject({ code: 'team.badRun' });
    expect(complaints).toMatchObject([{ code: 'team.badRun' }]);
  });

  it('says that the model is not here, after looking at what is', async () => {
    const other = joined(mkdtempSync(joined(tmpdir(), 'likeness-known-')), 'model.safetensors');
    writeFileSync(other, 'no model');
    const looked: string[] = [];
    const known = (): string[] => [other, '/not/there', model].map((place) => (looked.push(place), place));
    const { error } = await joining({ ...honest, modelHash: 'f'.repeat(32) }, known);
    expect(error).toMatchObject({ code: 'team.noModel' });
    expect(error.message).toMatch(/f{32}.*--model/);
    expect(looked).toHaveLength(3);
  });

  it('keeps no other model than the one it asked for', async () => {
    const keep = mkdtempSync(joined(tmpdir(), 'likeness-kept-'));
    const tampered = { ...honest, modelHash: 'f'.repeat(32) };
    const { error } = await joining(tampered, () => [], true, { sent: model, keep });
    expect(error).toMatchObject({ code: 'team.badRun' });
    expect(error.message).toMatch(/the model it sent/);
    expect(readdirSync(keep)).toEqual([]);
  });

  it('is refused a model that is none of the run', async () => {
    const keep = mkdtempSync(joined(tmpdir(), 'likeness-kept-'));
    const { error } = await joining(honest, () => [], false, { keep });
    expect(error).toMatchObject({ code: 'team.refused' });
    expect(readdirSync(keep)).toEqual([]);
  });

  it('refuses a run whose weights have another shape than its own', async () => {
    const { error } = await joining(honest, undefined, false);
    expect(error).toMatchObject({ code: 'team.refused' });
  });

  it('finds the model by its hash among those of this machine', async () => {
    const source = await openSharedRun(honest, { known: () => ['/not/there', model], provider: 'cpu' });
    expect(source.layout.names).not.toEqual([]);
    await source.dispose();
  });

  it('builds the LoRA of a run that starts from one without the file', async () => {
    const modules = ['to_q', 'to_v'].map((last) => ({
      ...{ part: 'unet' as const, rank: 3, scale: 0.5 },
      module: `mid_block.attentions.0.transformer_blocks.0.attn1.${last}`,
    }));
    const targets = modules.map(({ module }) => module);
    const started: SharedRun = {
      ...honest,
      start: modules,
      settings: { ...settings, trainTextEncoder: false, lora: { rank: 16, alpha: 27, targets } },
    };
    const source = await openSharedRun(started, { model, provider: 'cpu' });
    const [name = ''] = source.layout.names;
    expect(source.layout.view(source.layout.allocate(), name).shape[0]).toBe(3);
    await source.dispose();
  });
});
