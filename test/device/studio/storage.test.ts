import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import Sqlite from 'better-sqlite3';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaveNote, takeNote } from '../../../src-main/storage/closedWell.ts';
import { openDatabase } from '../../../src-main/storage/database.ts';
import { condition, orders } from '../../../src-main/storage/imageFilter.ts';
import { fileName } from '../../../src-main/storage/libraryFolder.ts';
import { Library } from '../../../src-main/storage/library.ts';
import { migrations } from '../../../src-main/storage/migrations/index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'likeness-storage-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let root = '';
let libraries: Library[] = [];
const open = (): Library => {
  const library = Library.open(root);
  libraries.push(library);
  return library;
};
beforeEach(() => {
  root = path.join(scratch, `library-${Math.random()}`);
});
afterEach(() => {
  for (const library of libraries) library.close();
  libraries = [];
});

function addImages(library: Library, count: number): void {
  library.atomically(() => {
    for (let i = 0; i < count; i++)
      library.images.add({
        file: `pictures/2026-01/${i}.png`,
        hash: `hash${i}`,
        bytes: 1,
        ...{ width: 8, height: 8, prompt: i % 3 ? `a red mug ${i}` : `ein blaues Café "${i}"`, seed: i },
        ...{ subjectId: null, runId: null, step: null, recipe: null },
        createdAt: Math.floor(i / 2),
      });
  });
}

describe('migrations', () => {
  it('002 makes the pictures of 001 findable, after a backup', () => {
    const file = path.join(root, 'library.sqlite');
    const { db: old } = openDatabase(file, migrations.slice(0, 1));
    old
      .prepare(
        `INSERT INTO images (file, hash, bytes, width, height, created_at, prompt, negative, seed)
         VALUES ('a.png', 'h', 1, 8, 8, 5, 'a lighthouse at dawn', '', 1)`,
      )
      .run();
    old.close();
    const { db } = openDatabase(file, migrations.slice(0, 2));
    const found = db
      .prepare("SELECT rowid FROM image_prompts WHERE image_prompts MATCH 'light*'")
      .pluck()
      .all();
    expect(found).toEqual([1]);
    expect(db.prepare('SELECT prompt FROM images').pluck().get()).toBe('a lighthouse at dawn');
    db.close();
    const [copy = ''] = readdirSync(path.join(root, 'backups'));
    const backup = new Sqlite(path.join(root, 'backups', copy), { readonly: true });
    expect(backup.pragma('user_version', { simple: true })).toBe(1);
    expect(backup.prepare('SELECT file FROM images').pluck().get()).toBe('a.png');
    backup.close();
  });

  it('001 carries nothing over and makes tables that hold together', () => {
    const { db } = openDatabase(path.join(root, 'library.sqlite'), migrations.slice(0, 1));
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(() => db.exec("INSERT INTO subjects VALUES (1, 99, 'a', '', '', 'f', NULL, 0, 0, NULL)")).toThrow(
      /FOREIGN KEY/,
    );
    db.close();
  });

  it('003 keeps what was there and finds measurements again', () => {
    const file = path.join(root, 'library.sqlite');
    const { db: old } = openDatabase(file, migrations.slice(0, 2));
    old.exec("INSERT INTO settings (key, value) VALUES ('theme', '\"dark\"')");
    old.close();
    const library = open();
    expect(library.settings.get().theme).toBe('dark');
    const taken = { setup: 1, secondsPerStep: 2, secondsPerPicture: 3, bytes: 4 };
    library.measurements.set('fits', taken);
    library.measurements.set('does not', null);
    expect(['fits', 'does not', 'unknown'].map((key) => library.measurements.get(key))).toEqual([
      taken,
      null,
      undefined,
    ]);
  });

  it('004 keeps pictures and favourites, and answers the gallery from indexes alone', () => {
    const file = path.join(root, 'library.sqlite');
    const { db: old } = openDatabase(file, migrations.slice(0, 3));
    const put = old.prepare(
      `INSERT INTO images (file, hash, bytes, width, height, created_at, prompt, negative, seed, favourite, score)
       VALUES (?, 'h', 1, 8, 8, ?, 'a lighthouse', '', 1, ?, ?)`,
    );
    for (let i = 0; i < 5; i++) put.run(`${i}.png`, i, i % 2, i === 3 ? 0.5 : null);
    old.close();
    const library = open();
    expect(library.images.ids({}, 'newest')).toEqual([5, 4, 3, 2, 1]);
    expect(library.images.ids({ favourite: true }, 'oldest')).toEqual([2, 4]);
    expect(library.images.ids({ text: 'light' }, 'score')).toEqual([4, 5, 3, 2, 1]);
    library.close();
    libraries = [];

    const { db } = openDatabase(file);
    for (const filter of [{}, { favourite: true }, { subjectId: 1 }, { runId: 1 }, { text: 'light' }])
      for (const order of ['newest', 'oldest'] as const) {
        const { sql, values } = condition(filter);
        const plan = db
          .prepare(`EXPLAIN QUERY PLAN SELECT i.id FROM images i WHERE ${sql} ORDER BY ${orders[order].by}`)
          .all(values) as { detail: string }[];
        const steps = plan.map(({ detail }) => detail).join('; ');
        expect(steps).toMatch(/(SEARCH|SCAN) i USING COVERING INDEX/);
        expect(steps).not.toMatch(/TEMP B-TREE/);
      }
    db.close();
  });

  it('008 keeps exports with the names of what they were made of, and lets them outlive their run', () => {
    const file = path.join(root, 'library.sqlite');
    const { db: old } = openDatabase(file, migrations.slice(0, 7));
    old.exec(`
      INSERT INTO projects (id, name, created_at) VALUES (1, 'p', 0);
      INSERT INTO subjects (id, project_id, name, class_noun, token, folder, created_at)
        VALUES (1, 1, 'Rex', 'dog', 'sks', 'subjects/rex', 0);
      INSERT INTO runs (id, subject_id, name, folder, state, model_name, settings, created_at)
        VALUES (4, 1, 'First', 'subjects/rex/runs/1', 'done', 'mini', '{"steps":4,"prior":null}', 0);
      INSERT INTO exports (id, run_id, step, format, path, bytes, created_at, tensors, max_error)
        VALUES (9, 4, 2, 'kohya', 'exports/rex/rex.safetensors', 8, 5, 3, 0.1)`);
    old.close();
    const library = open();
    const kept = {
      ...{ id: 9, step: 2, format: 'kohya', path: 'exports/rex/rex.safetensors', bytes: 8, tensors: 3 },
      ...{ maxError: 0.1, createdAt: 5, subjectName: 'Rex', modelName: 'mini' },
    };
    expect(library.exports.list()).toEqual([{ ...kept, runId: 4, runName: 'First' }]);
    library.runs.change(4, { name: 'Best' });
    expect(library.exports.list(4)).toEqual([{ ...kept, runId: 4, runName: 'Best' }]);
    library.trash.remove('runs', [4]);
    library.trash.forget({ table: 'runs', id: 4, path: null });
    expect(library.exports.list()).toEqual([{ ...kept, runId: null, runName: 'First' }]);
  });

  it('005 lets runs from before there were masks count the background whole', () => {
    const file = path.join(root, 'library.sqlite');
    const { db: old } = openDatabase(file, migrations.slice(0, 4));
    old.exec(`
      INSERT INTO projects (id, name, created_at) VALUES (1, 'p', 0);
      INSERT INTO subjects (id, project_id, name, class_noun, token, folder, created_at)
        VALUES (1, 1, 'Rex', 'dog', 'sks', 'subjects/rex', 0);
      INSERT INTO runs (subject_id, name, folder, state, model_name, settings, created_at)
        VALUES (1, 'First', 'subjects/rex/runs/1', 'done', 'mini', '{"steps":4,"prior":null}', 0)`);
    old.close();
    const [run] = open().runs.list();
    expect(run?.settings).toMatchObject({ steps: 4, prior: null, backgroundWeight: 1 });
  });

  it.each([
    ['{"steps":0}', 'steps: '],
    ['{"steps":', 'settings: '],
  ])('say what is wrong with the settings %s of a run, and train nothing with them', (settings, why) => {
    const { db } = openDatabase(path.join(root, 'library.sqlite'));
    db.exec(`
      INSERT INTO projects (id, name, created_at) VALUES (1, 'p', 0);
      INSERT INTO subjects (id, project_id, name, class_noun, token, folder, created_at)
        VALUES (1, 1, 'Rex', 'dog', 'sks', 'subjects/rex', 0);
      INSERT INTO runs (id, subject_id, name, folder, state, model_name, settings, created_at)
        VALUES (7, 1, 'First', 'subjects/rex/runs/1', 'done', 'mini', '${settings}', 0)`);
    db.close();
    const { runs } = open();
    expect(runs.get(7).error).toMatchObject({ code: 'run.settings' });
    expect(runs.get(7).error?.message).toContain(why);
    expect(runs.list()).toHaveLength(1);
    expect(() => runs.settingsOf(7)).toThrow(expect.objectContaining({ code: 'run.settings' }));
  });

  it.each([
    ['progress', '{"done":1}', 'progress.total: '],
    ['error', '{"code":', 'error: '],
    ['warnings', '"hot"', 'warnings: '],
  ])('say what is wrong with the %s of a job, and show the others', (column, cell, why) => {
    const { db } = openDatabase(path.join(root, 'library.sqlite'));
    db.exec(`
      INSERT INTO jobs (id, kind, title, state, position, input, created_at)
        VALUES (7, 'import', 'Importing mini', 'done', 1, '{}', 0), (8, 'import', 'Importing a', 'queued', 2, '{', 0);
      UPDATE jobs SET ${column} = '${cell}' WHERE id = 7`);
    db.close();
    const { jobs } = open();
    expect(jobs.list().map(({ id }) => id)).toEqual([8, 7]);
    expect(jobs.get(7).error).toMatchObject({ code: 'job.unreadable' });
    expect(jobs.get(7).error?.message).toContain(`Importing mini: ${why}`);
    // Input that is no JSON is found when the job starts: `readJob`.
    expect(jobs.get(8)).toMatchObject({ input: undefined, error: null });
  });

  it('refuse a database of a newer program, and leave it as it is', () => {
    const file = path.join(root, 'library.sqlite');
    const { db } = openDatabase(file);
    db.pragma('user_version = 999');
    db.close();
    expect(() => openDatabase(file)).toThrow(/newer Likeness/);
    expect(existsSync(file)).toBe(true);
  });
});

describe('a library', () => {
  it('moves a damaged database aside and starts anew', () => {
    open().close();
    libraries = [];
    writeFileSync(path.join(root, 'library.sqlite'), 'no database at all');
    const library = open();
    expect(library.damaged && existsSync(library.damaged)).toBe(true);
    expect(library.projects.list()).toHaveLength(1);
  });

  it('is read through at its start, unless it was closed properly and left alone', () => {
    const file = path.join(root, 'library.sqlite');
    const closed = (): void => {
      open().close();
      libraries = [];
    };
    closed();
    expect(Date.now() - (takeNote(file) ?? 0)).toBeLessThan(600_000);
    // It is taken at each start: who crashes leaves none.
    expect(takeNote(file)).toBeUndefined();
    closed();
    utimesSync(file, 1, 1);
    expect(takeNote(file)).toBeUndefined();
    closed();
    leaveNote(file, Date.now() - 8 * 24 * 3_600_000);
    expect(takeNote(file)).toBeUndefined();
  });

  it('is one process at a time, also after that process was killed', async () => {
    open().close();
    libraries = [];
    const holder = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '-e',
        `import('./src-main/storage/library.ts').then(({ Library }) => { Library.open(process.argv[1]); console.log('held'); setInterval(() => {}, 1000); })`,
        root,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(() => Library.open(root)).toThrow(/open in another Likeness/);
    holder.kill('SIGKILL');
    await new Promise((resolve) => holder.once('exit', resolve));
    expect(open().projects.list()).toHaveLength(1);
  });

  it('pages through every picture once, in each order, whatever their times', () => {
    const library = open();
    addImages(library, 500);
    library.images.setScore(7, 0.5);
    library.images.setScore(9, 0.9);
    for (const order of ['newest', 'oldest', 'score'] as const) {
      const seen: number[] = [];
      let next: string | null | undefined;
      do {
        const page = library.images.page({}, order, 37, next ?? undefined);
        seen.push(...page.images.map(({ id }) => id));
        next = page.next;
      } while (next !== null);
      expect(seen).toEqual(library.images.ids({}, order));
      expect(new Set(seen).size).toBe(500);
    }
    expect(library.images.ids({}, 'score').slice(0, 2)).toEqual([9, 7]);
    expect(() => library.images.page({}, 'newest', 5, 'x; DROP TABLE images')).toThrow(
      /not a place in the list/,
    );
  });

  it('finds prompts by words and beginnings of words, whatever signs are in them', () => {
    const library = open();
    addImages(library, 9);
    const found = (text: string): number => library.images.count({ text });
    expect(found('red mug')).toBe(6);
    expect(found('cafe')).toBe(3);
    expect(found('blau')).toBe(3);
    expect(found('mug" OR "blaues')).toBe(0);
    expect(found('***')).toBe(0);
    expect(found('')).toBe(9);
  });

  it('brings back what was removed, whole', () => {
    const library = open();
    addImages(library, 3);
    const undo = library.trash.remove('images', [1, 2]);
    expect(library.images.count()).toBe(1);
    expect(library.trash.list()).toHaveLength(2);
    expect(library.trash.removals()).toMatchObject([{ undo, table: 'images', count: 2 }]);
    expect(library.trash.restore(undo).get('images')).toBe(2);
    expect(library.images.count()).toBe(3);
    expect(library.trash.restore(undo).size).toBe(0);
  });

  it('keeps settings, and passes over values that no longer fit', () => {
    const library = open();
    library.settings.update({ theme: 'dark', tileSize: 200 });
    library.settings.update({ theme: undefined, offline: false });
    expect(library.settings.get()).toMatchObject({ theme: 'dark', tileSize: 200, offline: false });
    library.settings.update({ tileSize: 5 });
    expect(library.settings.get().tileSize).toBe(176);
  });

  it('has no paths outside its folder', () => {
    const { folder } = open();
    for (const out of ['../x', '/etc/passwd', 'subjects/../../x', '..'])
      expect(() => folder.at(out)).toThrow(/not in the library/);
    expect(fileName('../../Ä b/ü*?')).toBe('ä-b-ü');
    expect(fileName('CON')).toBe('con-');
    expect(folder.claim('subjects', 'Rex')).toBe('subjects/rex');
    expect(folder.claim('subjects', 'Rex')).toBe('subjects/rex-2');
  });
});
