import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const code = `
  const { Session } = await import(${JSON.stringify(join(root, 'src-main/engine/runtime/session.ts'))});
  const { input, add } = await import(${JSON.stringify(join(root, 'src-main/engine/graph/build.ts'))});
  const x = input('x', [2]);
  const session = await Session.compile({ outputs: { y: add(x, x) } });
  const { y } = await session.runHost({ x: { dtype: 'f32', shape: [2], data: Float32Array.of(1, 2) } });
  console.log(y.data.join());
`;

it('ONNX Runtime leaves no device id and no telemetry in the home folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  const { CI: _ci, ...env } = process.env;
  const words = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const printed = execFileSync(process.execPath, words, {
    cwd: root,
    env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
    encoding: 'utf8',
  });
  expect(printed.trim()).toBe('2,4');
  expect(readdirSync(home)).toEqual([]);
});
