import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

/** What the project's own rules say of `text`, were it `file`. Types play no part: the file need not be there. */
async function complaints(file: string, text: string): Promise<string[]> {
  const eslint = new ESLint({
    overrideConfig: {
      languageOptions: { parserOptions: { projectService: false, project: null } },
      linterOptions: { reportUnusedDisableDirectives: 'off' },
    },
    ruleFilter: ({ ruleId }) => ruleId.startsWith('likeness/'),
  });
  const [result] = await eslint.lintText(text, { filePath: path.resolve(file) });
  return result?.messages.map(({ message }) => message) ?? [];
}

describe('the layer map', () => {
  const wrong: [file: string, text: string, why: string][] = [
    ['src-main/engine/graph/x.ts', "import '../nn/layers.ts';", 'may not import src-main/engine/nn'],
    [
      'src-main/engine/optim/x.ts',
      "import '../schedulers/index.ts';",
      'may not import src-main/engine/schedulers',
    ],
    [
      'src-main/engine/training/run/x.ts',
      "import '../../../storage/x.ts';",
      'may not import src-main/storage',
    ],
    [
      'src-main/engine/training/data/x.ts',
      "import '../loss/noising.ts';",
      'may not import src-main/engine/training/loss',
    ],
    ['src-main/engine/training/x.ts', "import './run/loop.ts';", 'stands in no layer'],
    [
      'src-main/engine/models/x.ts',
      "import type { A } from '../../features/score/b.ts';",
      'may not import src-main/features/score',
    ],
    [
      'src-main/features/training/x.ts',
      "export * from '../score/y.ts';",
      'may not import src-main/features/score',
    ],
    ['src-main/features/score/x.ts', "import '../../cli/options.ts';", 'may not import src-main/cli'],
    ['src-main/features/score/x.ts', "import '../../storage/x.ts';", 'may not import src-main/storage'],
    [
      'src-main/studio/training/x.ts',
      "import { score } from '../../features/score/score.ts';",
      'must not reach src-main/engine/runtime/onnxRuntime.ts: src-main/features/score/score.ts → ',
    ],
    ['src-main/studio/training/x.ts', "import got from 'got';", 'got is not among the packages'],
    [
      'src-main/studio/photos/x.ts',
      "import '../subjects/tokens.ts';",
      'may not import src-main/studio/subjects',
    ],
    ['src-main/studio/x.ts', "import './context.ts';", 'stands in no layer'],
    ['src-main/jobs/x.ts', "await import('../engine/nn/scope.ts');", 'may not import src-main/engine/nn'],
    ['src-main/ipc/x.ts', "import '../studio/context.ts';", 'may not import src-main/studio'],
    ['src-main/engine/nn/x.ts', "import { Tensor } from 'onnxruntime-node';", 'only src-main/engine/runtime'],
    ['src-main/engine/nn/x.ts', "import { app } from 'electron';", 'only src-main/main.ts'],
    ['src-main/features/score/x.ts', "import sqlite from 'better-sqlite3';", 'only src-main/storage'],
    ['src-shared/domain/x.ts', "import fs from 'node:fs';", 'src-shared has no Node'],
    ['src-shared/domain/x.ts', "import '../../src-main/cli/options.ts';", 'may not import src-main/cli'],
    ['src-shared/messages/x.ts', "import '../domain/job.ts';", 'may not import src-shared/domain'],
    ['src-shared/domain/x.ts', "import '../contract/jobs.ts';", 'may not import src-shared/contract'],
    ['src-renderer/ui/x.ts', "import '../state/y.ts';", 'may not import src-renderer/state'],
    ['src-renderer/features/a/x.ts', "import '../b/y.ts';", 'may not import src-renderer/features/b'],
    ['src-renderer/state/x.ts', "import path from 'node:path';", 'src-renderer has no Node'],
    ['src-renderer/state/x.ts', "import '../../src-main/ipc/x.ts';", 'may not import src-main/ipc'],
    ['src-main/elsewhere/x.ts', "import './y.ts';", 'stands in no layer'],
  ];
  it.each(wrong)('%s: %s', async (file, text, why) => {
    const [complaint, ...more] = await complaints(file, text);
    expect(complaint).toContain(why);
    expect(more).toEqual([]);
  });

  const right: [file: string, text: string][] = [
    ['src-main/engine/nn/x.ts', "import '../graph/build.ts';\nimport fs from 'node:fs';"],
    ['src-main/engine/runtime/x.ts', "import { Tensor } from 'onnxruntime-node';"],
    [
      'src-main/features/score/x.ts',
      "import './y.ts';\nimport '../export/x.ts';\nimport '../../engine/nn/scope.ts';",
    ],
    [
      'src-main/studio/training/x.ts',
      "import '../../storage/x.ts';\nimport type { score } from '../../features/score/score.ts';\nexport type A = typeof score;",
    ],
    ['src-main/cli/x.ts', "import '../features/a/b.ts';\nimport '../../src-shared/messages/index.ts';"],
    ['test/x.test.ts', "import 'onnxruntime-node';"],
  ];
  it.each(right)('allows %s: %s', async (file, text) => {
    expect(await complaints(file, text)).toEqual([]);
  });
});

describe('cycles', () => {
  it('are reported with the way round, those of types too', async () => {
    const folder = mkdtempSync(path.resolve('test/pure/cycle-'));
    try {
      const file = (name: string) => path.join(folder, name);
      writeFileSync(file('b.ts'), "export { c } from './c.ts';");
      writeFileSync(file('c.ts'), "import { a } from './a.ts';\nexport const c = () => a;");
      const [complaint] = await complaints(file('a.ts'), "import { c } from './b.ts';\nexport const a = c;");
      expect(complaint).toMatch(/import each other: .*b\.ts → .*c\.ts → .*a\.ts/);
      const ofTypes = "import type { c } from './b.ts';\nexport type A = typeof c;";
      expect(await complaints(file('a.ts'), ofTypes)).toEqual([complaint]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
