import { accessSync, constants, existsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { problem, type LikenessError } from '../../src-shared/messages/index.ts';
import { leaveNote } from './closedWell.ts';
import { Checkpoints } from './checkpoints.ts';
import { openDatabase } from './database.ts';
import { Evaluations } from './evaluations.ts';
import { Exports } from './exports.ts';
import { Images } from './images.ts';
import { Jobs } from './jobs.ts';
import { LibraryFolder } from './libraryFolder.ts';
import { LoraFiles } from './loraFiles.ts';
import { lockLibrary } from './libraryLock.ts';
import { Measurements } from './measurements.ts';
import { Models } from './models.ts';
import { Photos } from './photos.ts';
import { Projects } from './projects.ts';
import { Prompts } from './prompts.ts';
import { Runs } from './runs.ts';
import { Scores } from './scores.ts';
import { SettingsTable } from './settings.ts';
import { Subjects } from './subjects.ts';
import { Trash } from './trash.ts';

/** An open library: its folder, and a table for each kind of thing in it. */
export class Library {
  readonly projects: Projects;
  readonly subjects: Subjects;
  readonly photos: Photos;
  readonly runs: Runs;
  readonly checkpoints: Checkpoints;
  readonly scores: Scores;
  readonly images: Images;
  readonly models: Models;
  readonly loras: LoraFiles;
  readonly exports: Exports;
  readonly evaluations: Evaluations;
  readonly jobs: Jobs;
  readonly measurements: Measurements;
  readonly settings: SettingsTable;
  readonly prompts: Prompts;
  readonly trash: Trash;

  private constructor(
    readonly folder: LibraryFolder,
    private readonly db: Database,
    private readonly lock: { release: () => void },
    /** Where a damaged database was moved at this start; its content must be found again. */
    readonly damaged: string | undefined,
    private readonly checkedAt: number,
  ) {
    this.projects = new Projects(db);
    this.subjects = new Subjects(db);
    this.photos = new Photos(db);
    this.runs = new Runs(db);
    this.checkpoints = new Checkpoints(db);
    this.scores = new Scores(db);
    this.images = new Images(db);
    this.models = new Models(db, folder);
    this.loras = new LoraFiles(db);
    this.exports = new Exports(db);
    this.evaluations = new Evaluations(db);
    this.jobs = new Jobs(db);
    this.measurements = new Measurements(db);
    this.settings = new SettingsTable(db);
    this.prompts = new Prompts(db);
    this.trash = new Trash(db);
  }

  /** Opens the library in `root`, or makes one there. Errors: `library.inUse`, `library.newer`, `library.unwritable`. */
  static open(root: string): Library {
    const folder = new LibraryFolder(root);
    folder.create();
    const lock = lockLibrary(root);
    try {
      const { db, damaged, checkedAt } = openDatabase(folder.database);
      for (const name of ['subjects', 'pictures', 'exports', 'models']) folder.make(name);
      const library = new Library(folder, db, lock, damaged, checkedAt);
      if (library.projects.list().length === 0) library.projects.create('My project');
      return library;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Runs `work` as one transaction: all of it, or nothing. */
  atomically<T>(work: () => T): T {
    return this.db.transaction(work)();
  }

  /** What prevents writing to the folder now: `library.movedAway`, `library.readOnly`. */
  obstacle(): LikenessError | undefined {
    const { root, database } = this.folder;
    if (!existsSync(database)) return problem('library.movedAway', { folder: root });
    try {
      accessSync(root, constants.W_OK);
      return undefined;
    } catch {
      return problem('library.readOnly', { folder: root });
    }
  }

  close(): void {
    try {
      this.db.pragma('wal_checkpoint(TRUNCATE)');
    } catch {
      // On a full or read-only disk, the log stays beside the database and is read with it.
    }
    this.db.close();
    leaveNote(this.folder.database, this.checkedAt);
    this.lock.release();
  }
}
