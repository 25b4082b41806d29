import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLines, likeness } from './likeness.ts';

const commands = ['quickstart', 'generate', 'finetune', 'export', 'inspect', 'bench', 'doctor'];
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

describe('help', () => {
  it('lists every command', async () => {
    const { status, stdout, stderr } = await likeness(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +${command} +\\w`, 'm'));
  });

  it.each(commands)('explains %s, within 100 columns', async (command) => {
    const { status, stdout } = await likeness([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: likeness ${command} `);
    const beforeExamples = stdout.split('\nExamples')[0] ?? '';
    expect(Math.max(...beforeExamples.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('says its version', async () => {
    expect(await likeness(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('wrong usage', () => {
  const wrong: [words: string[], code: string, says: string][] = [
    [[], 'usage.noCommand', 'likeness --help'],
    [['genrate'], 'usage.unknownCommand', 'did you mean generate?'],
    [['--jsn'], 'usage.unknownOption', 'did you mean --json?'],
    [['generate', '--prompt', 'a', '--out', 'x', '--steps', '0'], 'usage.badValue', '--steps'],
  ];

  it.each(wrong)('%j is %s: status 2, one line of JSON, one sentence', async (words, code, says) => {
    const { status, stdout, stderr } = await likeness([...words, '--json']);
    expect(status).toBe(2);
    const [error, ...more] = jsonLines(stdout);
    expect(more).toEqual([]);
    expect(error).toMatchObject({ type: 'error', code });
    expect(error?.['message']).toContain(says);
    expect(stderr).toBe(`${String(error?.['message'])}\n`);
  });
});

describe('failure', () => {
  it('is one sentence that names the file, and status 1', async () => {
    const { status, stdout, stderr } = await likeness(['inspect', 'no such földer']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^\S*no such földer is not there.*\.\n$/);
  });

  it('shows a stack with --debug only', async () => {
    const { status, stderr } = await likeness(['inspect', 'nowhere', '--debug']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\n +at .*[lL]ora\.ts:\d+/);
  });

  it('says what cannot be read', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'likeness-'));
    const words = ['generate', '--prompts', folder, '--out', path.join(folder, 'out')];
    const { status, stderr } = await likeness(words);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${folder} can't be read .*\\.\n$`));
  });

  it('stays one line, whatever stands in a file or a name', async () => {
    const { stderr } = await likeness(['inspect', `no\nwhere\x1b[2J\u2028${'x'.repeat(5000)}`]);
    expect(stderr).toMatch(/^[ -~…]{100,700}\n$/);
  });

  it('refuses prompts that are no text', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-')), 'prompts.txt');
    writeFileSync(file, Buffer.from([0x61, 0xff, 0x0a, 0x62]));
    const { status, stdout } = await likeness(['generate', '--prompts', file, '--out', 'never', '--json']);
    expect(status).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ type: 'error', code: 'text.notText' }]);
  });

  it.runIf(process.platform === 'linux')('refuses a place in which no folder can be made', async () => {
    const model = 'test/golden/fixtures/models/tiny-bk';
    const words = ['generate', '--prompt', 'a', '--out', '/proc/likeness', '--model', model];
    const { status, stderr } = await likeness([...words, '--provider', 'cpu']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\/proc\/likeness can't be written .*\n$/);
  });

  it('refuses a file without prompts', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'likeness-')), 'prompts.txt');
    writeFileSync(file, '\uFEFF\r\n  \n');
    const { status, stdout } = await likeness(['generate', '--prompts', file, '--out', 'never', '--json']);
    expect(status).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([{ type: 'error', code: 'prompts.none' }]);
  });
});
