import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, vi } from 'vitest';

it('the example in the engine’s README runs, and learns its two weights', async () => {
  const engine = resolve('src-main/engine');
  const [, code = ''] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(engine, 'README.md'), 'utf8')) ?? [];
  const folder = mkdtempSync(join(import.meta.dirname, 'readme-'));
  const said = vi.spyOn(console, 'log').mockReturnValue();
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, code.replaceAll("from './", `from '${engine}/`));
    await import(file);
    const [printed, weights] = said.mock.calls.map(([value]: unknown[]) => value);
    expect(printed).toContain('return loss=');
    const learnt = Array.from(weights as Float32Array);
    expect(learnt).toHaveLength(2);
    expect(learnt[0]).toBeCloseTo(2, 3);
    expect(learnt[1]).toBeCloseTo(3, 3);
  } finally {
    said.mockRestore();
    rmSync(folder, { recursive: true });
  }
});
