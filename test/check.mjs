/**
 * Every check of the project, one after the other: formatting, lint, types, the renderer's types, tests. Ends with one
 * line of counts, where a check counts as one and every test as one. `npm test -- FILE…` runs the tests of these files only.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installBrowser } from './installBrowser.mjs';
import { installVulkan } from './installVulkan.mjs';

const root = path.resolve(import.meta.dirname, '..');
const count = { passed: 0, failed: 0, skipped: 0 };

const run = (tool, ...words) => {
  const script = path.join(root, 'node_modules', tool);
  return spawnSync(process.execPath, [script, ...words], { cwd: root, stdio: 'inherit' }).status === 0;
};

function check(name, tool, ...words) {
  const started = Date.now();
  const ok = run(tool, ...words);
  count[ok ? 'passed' : 'failed'] += 1;
  console.log(`${ok ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

function tests(...files) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'likeness-test-'));
  const outputFile = path.join(scratch, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const ok = run('vitest/vitest.mjs', 'run', ...reporters, ...files);
  const failedBefore = count.failed;
  if (fs.existsSync(outputFile)) {
    const results = JSON.parse(fs.readFileSync(outputFile, 'utf8'));
    count.passed += results.numPassedTests;
    count.skipped += results.numPendingTests + results.numTodoTests;
    // A file that could not be loaded has no tests of its own to count.
    const broken = results.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.length,
    );
    count.failed += results.numFailedTests + broken.length;
  }
  if (!ok && count.failed === failedBefore) count.failed += 1;
  fs.rmSync(scratch, { recursive: true, force: true });
}

check('formatting', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.');
check('lint', 'eslint/bin/eslint.js', '.');
check('types', 'typescript/bin/tsc', '-p', '.');
check('types without Node, of what the browser runs too', 'typescript/bin/tsc', '-p', 'src-shared');
check('types of the tests of the renderer', 'typescript/bin/tsc', '-p', 'test/pure/renderer');
check(
  'types of the renderer',
  'svelte-check/bin/svelte-check',
  ...['--workspace', 'src-renderer', '--tsconfig', './tsconfig.json', '--fail-on-warnings'],
);
installBrowser();
installVulkan();
tests(...process.argv.slice(2));

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = count.failed ? 1 : 0;
