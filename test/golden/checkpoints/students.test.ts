import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  blocksOfKind,
  planRemoval,
  studentKinds,
} from '../../../src-main/engine/checkpoints/blockRemoval.ts';
import { openModelFolder } from '../../../src-main/engine/checkpoints/modelFolder.ts';
import { studentOf } from '../../../src-main/engine/checkpoints/student.ts';
import { readTensor } from '../../../src-main/engine/checkpoints/weights.ts';
import type { FileTensor } from '../../../src-main/engine/tensor/tensor.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');

function digest(entry: FileTensor): string {
  const { data } = readTensor(entry);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${entry.shape.join('x')} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

describe.each(['tiny-sd1', 'tiny-sd2'])('students of %s', (name) => {
  const teacher = openModelFolder(join(fixtures, 'models', name));
  const expected = JSON.parse(readFileSync(join(fixtures, 'students', `${name}.json`), 'utf8')) as Record<
    string,
    Record<string, string>
  >;

  it.each(studentKinds.filter((kind) => kind.startsWith('bk-')))("%s has BK-SDM's keys and bits", (kind) => {
    const blocks = blocksOfKind(kind, teacher.unet.config, teacher.path);
    const { weights } = studentOf(teacher, planRemoval(teacher.unet.config, blocks)).unet;
    const found = Object.fromEntries(
      weights.names().map((key) => [key, digest(weights.get(key) as FileTensor)]),
    );
    expect(found).toEqual(expected[kind]);
  });
});
