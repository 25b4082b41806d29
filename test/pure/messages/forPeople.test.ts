import { expect, it } from 'vitest';
import { forPeople } from '../../../src-shared/messages/forPeople.ts';

it('too few open files are named as that, whichever library ran into them', () => {
  const system = Object.assign(new Error("EMFILE: too many open files, open '/a/b.js'"), {
    ...{ code: 'EMFILE', path: '/a/b.js' },
  });
  const native = new Error('filesystem error: cannot open /m/unet.safetensors: Too many open files');
  for (const error of [system, native])
    expect(forPeople(error)).toMatchObject({
      code: 'system.tooManyFiles',
      message: expect.stringContaining('ulimit -n 1024') as string,
    });
});

it('a folder that went away under the terminal is named as that', () => {
  const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
    ...{ code: 'ENOENT', syscall: 'uv_cwd' },
  });
  expect(forPeople(gone)).toMatchObject({
    code: 'system.noFolder',
    message: expect.stringContaining('"cd ~"') as string,
  });
});
