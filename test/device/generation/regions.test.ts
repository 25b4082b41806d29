import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSafetensors } from '../../../src-main/engine/checkpoints/safetensors.ts';
import { readF32 } from '../../../src-main/engine/checkpoints/weights.ts';
import { boxMask, composed, seenApart } from '../../../src-main/engine/pipelines/regions.ts';
import { readRecipe } from '../../../src-main/engine/pictures/png.ts';
import { jsonLines, likeness } from '../../pure/cli/likeness.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-sd1');
const kinds = path.resolve('test/golden/fixtures/checkpoints/lora-kinds');
const [rslora, dora] = ['rslora', 'dora'].map((name) => path.join(kinds, name)) as [string, string];
const scratch = mkdtempSync(path.join(tmpdir(), 'likeness regions ü '));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function draw(name: string, ...more: string[]): Promise<{ latents: Float32Array; picture: string }> {
  const saved = path.join(scratch, `${name}.safetensors`);
  const { status, stdout, stderr } = await likeness([
    ...['generate', '--model', model, '--prompt', 'a beach', '--seed', '3', '--steps', '6', '--size', '64'],
    ...[
      '--guidance',
      '4',
      '--scheduler',
      'ddim',
      '--out',
      path.join(scratch, name),
      '--save-latents',
      saved,
      '--json',
    ],
    ...more,
  ]);
  expect(stderr).not.toMatch(/rror/);
  expect(status).toBe(0);
  const done = jsonLines(stdout).at(-1) as { images: { path: string }[] };
  const entry = readSafetensors(saved).tensors.get('latents') as FileTensor;
  return { latents: readF32(entry).data, picture: done.images[0]?.path ?? '' };
}

const gap = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

it('one box over the whole picture draws what its LoRA draws alone', async () => {
  const alone = await draw('alone', '--lora', rslora, '--prompt', 'a dog');
  const whole = await draw('whole', '--region', `0,0,100,100=${rslora}=a dog`);
  expect(gap(alone.latents.subarray(alone.latents.length / 2), whole.latents)).toBeLessThan(1e-4);
}, 300_000);

it('a box has the negative prompt and the embeddings of the picture', async () => {
  const word = path.resolve('test/golden/fixtures/embedding/learned_embeds.safetensors');
  const both = ['--negative', 'blurry painting', '--embedding', `${word}:<rex>`];
  const alone = await draw('alone with both', ...both, '--lora', rslora, '--prompt', 'a <rex> dog');
  const whole = await draw('whole with both', ...both, '--region', `0,0,100,100=${rslora}=a <rex> dog`);
  expect(gap(alone.latents.subarray(alone.latents.length / 2), whole.latents)).toBeLessThan(1e-4);
}, 300_000);

it('each box is its own: another LoRA in one changes that box at once, and is in the recipe', async () => {
  const two = await draw(
    'two',
    '--region',
    `0,0,50,100=${rslora}=a dog`,
    '--region',
    `50,0,100,100=${dora}=a cat`,
  );
  const other = await draw(
    'other',
    '--region',
    `0,0,50,100=${rslora}=a dog`,
    '--region',
    `50,0,100,100=${rslora}=a cat`,
  );
  const side = Math.sqrt(two.latents.length / 4);
  const inHalf = (right: boolean): [Float32Array, Float32Array] => {
    const isIn = (_: number, i: number): boolean => i % side >= side / 2 === right;
    return [two.latents.filter(isIn), other.latents.filter(isIn)];
  };
  const [left, right] = [gap(...inHalf(false)), gap(...inHalf(true))];
  expect(right).toBeGreaterThan(2 * left);
  const { regions, loras } = await readRecipe(two.picture);
  expect(loras).toEqual([]);
  expect(regions).toMatchObject([
    { prompt: 'a dog', box: { left: 0, right: 0.5 }, lora: { path: 'rslora', weight: 1 } },
    { prompt: 'a cat', box: { left: 0.5, right: 1 }, lora: { path: 'dora' } },
  ]);
  const again = path.join(scratch, 'again');
  const { status } = await likeness(['generate', '--recipe', two.picture, '--out', again]);
  expect(status).toBe(0);
}, 300_000);

it('boxes cover the latents that they say, and overlaps are means', () => {
  const shape = [1, 1, 2, 4];
  const left = boxMask({ left: 0, top: 0, right: 0.5, bottom: 1 }, shape);
  expect([...left]).toEqual([1, 1, 0, 0, 1, 1, 0, 0]);
  const all = boxMask({ left: 0, top: 0, right: 1, bottom: 1 }, shape);
  const fill = (value: number): Float32Array => new Float32Array(8).fill(value);
  const joined = composed(fill(0), [
    { mask: left, output: fill(2) },
    { mask: all, output: fill(4) },
  ]);
  expect([...joined]).toEqual([3, 3, 4, 4, 3, 3, 4, 4]);
  expect([...seenApart(fill(5), left, fill(2), 0.5)]).toEqual([5, 5, 1, 1, 5, 5, 1, 1]);
});

it('a box that is none is refused, and says how it is written', async () => {
  const { status, stderr } = await likeness([
    ...['generate', '--prompt', 'a', '--out', scratch, '--region', '50,0,20,100=runs/x=a dog'],
  ]);
  expect(status).toBe(2);
  expect(stderr).toContain('LEFT,TOP,RIGHT,BOTTOM');
});
