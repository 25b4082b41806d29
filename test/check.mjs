/**
 * Every check of the project: formatting, lint, types, the renderer's types, then tests. Ends with one
 * line of counts, where a check counts as one and every test as one. `npm test -- FILE…` runs the tests of these files only.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installBrowser } from './installBrowser.mjs';
import { installVulkan } from './installVulkan.mjs';

const root = path.resolve(import.meta.dirname, '..');
const count = { passed: 0, failed: 0, skipped: 0 };

const command = (tool, words) => [process.execPath, [path.join(root, 'node_modules', tool), ...words]];

/** What a check says is shown when it has ended: others run beside it. */
async function check(name, tool, ...words) {
  const started = Date.now();
  const child = spawn(...command(tool, words), { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => said.push(piece));
  const ok = await new Promise((done) => child.on('close', (status) => done(status === 0)));
  process.stdout.write(Buffer.concat(said));
  count[ok ? 'passed' : 'failed'] += 1;
  console.log(`${ok ? '✓' : '✗'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
}

async function formatAndTypes() {
  await check('formatting', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.');
  await check('types', 'typescript/bin/tsc', '-p', '.');
  await check(
    'types without Node, of what the browser runs too',
    'typescript/bin/tsc',
    ...['-p', 'src-shared'],
  );
  await check('types of the tests of the renderer', 'typescript/bin/tsc', '-p', 'test/pure/renderer');
  await check(
    'types of the renderer',
    'svelte-check/bin/svelte-check',
    ...['--workspace', 'src-renderer', '--tsconfig', './tsconfig.json', '--fail-on-warnings'],
  );
}

async function tests(...files) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'likeness-test-'));
  const outputFile = path.join(scratch, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const vitest = command('vitest/vitest.mjs', ['run', ...reporters, ...files]);
  const child = spawn(...vitest, { cwd: root, stdio: 'inherit' });
  const ok = await new Promise((done) => child.on('close', (status) => done(status === 0)));
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

// Lint takes longer than the other checks: the tests begin beside it.
const lint = check('lint', 'eslint/bin/eslint.js', '.');
await formatAndTypes();
installBrowser();
installVulkan();
await tests(...process.argv.slice(2));
await lint;

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = count.failed ? 1 : 0;
