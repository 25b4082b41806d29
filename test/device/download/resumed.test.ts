import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { download } from '../../../src-main/features/download/download.ts';
import { standInHub, type StandInHub } from '../../app/standInHub.ts';

const model = path.resolve('test/golden/fixtures/models/tiny-bk');
const weights = 'unet/diffusion_pytorch_model.safetensors';
const config = 'unet/config.json';
const out = path.join(mkdtempSync(path.join(tmpdir(), 'likeness resumed ')), 'model');
const context = { report: () => undefined, signal: new AbortController().signal };
let hub: StandInHub;
beforeAll(async () => {
  hub = await standInHub(model);
});
afterAll(() => hub.close());

const bytes = (name: string): Buffer => readFileSync(path.join(model, name));
const fetchAll = (): Promise<unknown> =>
  download({ hub: hub.address, repository: 'test/tiny', revision: 'main', out }, context);

it('what an earlier try fetched of another commit is fetched anew, whole or half', async () => {
  mkdirSync(path.join(out, 'unet'), { recursive: true });
  cpSync(path.join(model, 'vae'), path.join(out, 'vae'), { recursive: true });
  // Of the same size, as weights of another training are.
  writeFileSync(path.join(out, config), Buffer.alloc(bytes(config).length, ' '));
  writeFileSync(path.join(out, `${weights}.part`), Buffer.alloc(1000, 7));
  await fetchAll();
  for (const name of [config, weights])
    expect(readFileSync(path.join(out, name)).equals(bytes(name))).toBe(true);
  const asked = (name: string): number[] =>
    hub.asked.filter(({ file }) => file === name).map(({ from }) => from);
  expect(asked(weights)).toEqual([1000, 0]);
  expect(asked(config)).toEqual([0]);
  expect(asked('vae/diffusion_pytorch_model.safetensors')).toEqual([]);
});
