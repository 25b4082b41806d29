import { expect, it } from 'vitest';
import { choicesOn } from '../../../src-shared/domain/providers.ts';
import { inStudio } from '../../../src-shared/messages/inStudio.ts';
import { messages, problem, type MessageCode } from '../../../src-shared/messages/index.ts';

/** What only the command line can come to: its own options, added providers, teams, replays, prompt tables, embeddings, measuring folders of pictures. */
const onlyThere =
  /^(usage|serve|team|quickstart|replay|set|recipe|prompts|evaluate|dreambooth|arrays|features|clipSkip|embedding|gpu)\.|^data\.|^picture\.again|^model\.predicts|^lora\.start/;
/** An option, or a command to type. */
const commandLine = /(^|[\s("“])--[a-z]|\blikeness [a-z]+\b|\bnpm run\b|--debug/;

const anything = new Proxy({}, { get: () => 'X' });

it('no sentence of the studio gives advice for the command line', () => {
  const codes = (Object.keys(messages) as MessageCode[]).filter((code) => !onlyThere.test(code));
  expect(codes.length).toBeGreaterThan(100);
  const wrong = codes
    .map((code) => inStudio(problem(code, anything as never)))
    .filter(({ message }) => commandLine.test(message));
  expect(wrong).toEqual([]);
});

it('the command line keeps its own sentences', () => {
  const error = problem('export.exists', { file: 'rex.safetensors' });
  expect(error.message).toContain('--out');
  expect(inStudio(error).message).toBe(
    'rex.safetensors already exists and is never overwritten; remove it first.',
  );
});

it('a model that wants a login can be had without a terminal', () => {
  const error = problem('download.wantsConsent', { file: 'vae/config.json', id: 'someone/something' });
  expect(error.message).toMatch(/accept the terms.*--login/);
  expect(inStudio(error).message).toMatch(/accept the terms on the page of someone\/something.*import/);
});

it('names what a person gave in place of a copy on its way', () => {
  const thrown = problem('photos.broken', { file: '/library/photos/.0a1b.tmp' });
  expect(inStudio(thrown, { '/library/photos/.0a1b.tmp': 'rex.jpg' }).message).toMatch(
    /^rex\.jpg can't be decoded/,
  );
});

it('offers what can compute on a system, and what is chosen already', () => {
  expect(choicesOn('linux', 'auto')).toEqual(['auto', 'cpu', 'webgpu']);
  expect(choicesOn('win32', 'cpu')).toEqual(['auto', 'cpu', 'webgpu', 'dml']);
  expect(choicesOn('darwin', 'coreml')).toEqual(['auto', 'cpu', 'webgpu', 'coreml']);
  expect(choicesOn('linux', 'cuda')).toContain('cuda');
});

it('no message names what a file is called until it is complete', () => {
  const named = (file: string): string => problem('file.unwritable', { file, why: 'ENOSPC' }).message;
  expect(named('/a/.dog.safetensors.317.tmp/dog.safetensors')).toMatch(/^\/a\/dog\.safetensors can't/);
  expect(named('/a/.dog.317.tmp/dog/unet/x.safetensors')).toMatch(/^\/a\/dog\/unet\/x\.safetensors can't/);
  expect(named('/a/.dog.317.tmp/scheduler')).toMatch(/^\/a\/dog\/scheduler can't/);
  expect(named('C:\\a\\.grid.png.9.tmp')).toMatch(/^C:\\a\\grid\.png can't/);
  expect(named('/run/checkpoints/.000200.tmp/unet')).toMatch(/^\/run\/checkpoints\/000200\/unet can't/);
  expect(named('/a/my.tmp/b.tmp')).toMatch(/^\/a\/my\.tmp\/b\.tmp can't/);
});
