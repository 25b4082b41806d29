import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Served } from '../../src-main/serve.ts';
import { browserProgram, noBrowser, openBrowser } from './browser.ts';
import { buildStudio, Client, newLibrary, removeLibraries, serveLibrary } from './served.ts';

// A machine whose driver tells of a card with very little memory: 720 MiB.
const tools = mkdtempSync(path.join(tmpdir(), 'likeness-tools-'));
const tool = path.join(tools, 'nvidia-smi');
writeFileSync(tool, '#!/bin/sh\necho "Test Card 720, 600.1, 720"\n');
chmodSync(tool, 0o755);
process.env['PATH'] = `${tools}${path.delimiter}${process.env['PATH'] ?? ''}`;

let studio: Served;
let client: Client;
beforeAll(async () => {
  buildStudio();
  studio = await serveLibrary(newLibrary());
  client = await Client.open(studio.url);
}, 600_000);
afterAll(async () => {
  client.close();
  await studio.close();
  removeLibraries();
});

it.skipIf(process.platform !== 'linux')(
  'the window says whose memory a preset goes by, and what was given up for it',
  { timeout: 300_000 },
  async ({ skip }) => {
    if (browserProgram === undefined) skip(noBrowser);
    const { id: subjectId } = await client.ask('subjects.createSample', {});
    const ofMachine = await client.ask('training.presets', { subjectId, modelId: null });
    expect(ofMachine[0]).toMatchObject({ fits: true, reductions: [], room: { device: null } });

    await client.ask('settings.update', { provider: 'webgpu' });
    const [quick] = await client.ask('training.presets', { subjectId, modelId: null });
    expect(quick).toMatchObject({
      fits: true,
      room: { device: 'Test Card 720', bytes: 0.9 * 720 * 2 ** 20 },
    });
    expect(quick?.reductions[0]).toBe('computes in 16 bits');
    expect(quick?.settings.precision).toBe('f16');

    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(studio.url);
      await page.goto(`${new URL(studio.url).origin}/#/train`);
      await page.getByText('on Test Card 720, estimated').first().waitFor();
      const note = page.getByText('Reduced to fit').first();
      await note.waitFor();
      await page.getByText('computes in 16 bits').first().waitFor();
      expect(await note.isVisible()).toBe(true);
    } finally {
      await browser.close();
    }
  },
);
