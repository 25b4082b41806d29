import type { ImageFilter, ImageOrder } from '../../src-shared/domain/image.ts';
import { problem } from '../../src-shared/messages/index.ts';

/** An order of pictures: `key` is what it sorts by, and `beyond` selects what comes after a place. */
interface Order {
  readonly by: string;
  readonly key: string;
  readonly beyond: string;
  readonly readKey: (cursor: string) => { key: number; id: number };
}

export const orders: Readonly<Record<ImageOrder, Order>> = {
  newest: {
    by: 'i.created_at DESC, i.id DESC',
    key: 'i.created_at',
    beyond: '(i.created_at, i.id) < (@key, @id)',
    readKey,
  },
  oldest: {
    by: 'i.created_at, i.id',
    key: 'i.created_at',
    beyond: '(i.created_at, i.id) > (@key, @id)',
    readKey,
  },
  // Pictures without a score come last.
  score: {
    by: 'coalesce(i.score, -1) DESC, i.id DESC',
    key: 'coalesce(i.score, -1)',
    beyond: '(coalesce(i.score, -1), i.id) < (@key, @id)',
    readKey,
  },
};

function readKey(cursor: string): { key: number; id: number } {
  const [key = NaN, id = NaN] = cursor.split(':').map(Number);
  if (!Number.isFinite(key) || !Number.isSafeInteger(id))
    throw problem('request.invalid', { field: 'after', why: 'it is not a place in the list' });
  return { key, id };
}

/** The filter as SQL over `images i`. */
export function condition(filter: ImageFilter): { sql: string; values: Record<string, string | number> } {
  const parts = ['i.trash IS NULL', 'i.missing = 0'];
  const values: Record<string, string | number> = {};
  const where = (sql: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    parts.push(sql);
    values[name] = value;
  };
  where('i.subject_id = @subject', 'subject', filter.subjectId);
  where('i.run_id = @run', 'run', filter.runId);
  where('i.step = @step', 'step', filter.step);
  where('i.job_id = @job', 'job', filter.jobId);
  where(
    'i.favourite = @favourite',
    'favourite',
    filter.favourite === undefined ? undefined : Number(filter.favourite),
  );
  where('i.score >= @score', 'score', filter.minScore);
  where('i.created_at >= @from', 'from', filter.from);
  where('i.created_at <= @to', 'to', filter.to);
  const words = searchWords(filter.text ?? '');
  if (words === '' && filter.text?.trim()) parts.push('0');
  // The plus makes SQLite walk the order's index instead of sorting what the search found.
  where(
    '+i.id IN (SELECT rowid FROM image_prompts WHERE image_prompts MATCH @words)',
    'words',
    words === '' ? undefined : words,
  );
  return { sql: parts.join(' AND '), values };
}

/** Words for FTS5: each quoted, so that none is an operator; the last one matches as a prefix. */
function searchWords(text: string): string {
  const words = text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.map((word, place) => `"${word}"${place === words.length - 1 ? '*' : ''}`).join(' ');
}
