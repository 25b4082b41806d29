import type { Input } from '../../src-shared/contract/index.ts';
import type { Project } from '../../src-shared/domain/project.ts';
import type { Subject } from '../../src-shared/domain/subject.ts';
import { listen, request } from '../client/index.ts';
import { texts } from '../texts/index.ts';
import { attempt, toasts } from './toasts.svelte.ts';

const currentKey = 'likeness.subject';

/** The subjects, their projects, and the current subject. */
class Subjects {
  list = $state.raw<readonly Subject[]>([]);
  projects = $state.raw<readonly Project[]>([]);
  #currentId = $state(Number(localStorage.getItem(currentKey)));
  loaded = $state(false);
  /** Suggested class nouns, which the model knows; after `loadNouns`. */
  nouns = $state.raw<readonly string[]>([]);

  constructor() {
    listen('subjects.changed', (subject) => this.#put(subject));
    listen('subjects.removed', ({ id }) => this.#drop(id));
    listen('projects.changed', (projects) => (this.projects = projects));
  }

  get current(): Subject | undefined {
    return this.list.find(({ id }) => id === this.#currentId) ?? this.list[0];
  }

  byId(id: number | null | undefined): Subject | undefined {
    return this.list.find((subject) => subject.id === id);
  }

  choose(id: number): void {
    this.#currentId = id;
    localStorage.setItem(currentKey, String(id));
  }

  async load(): Promise<void> {
    const [list, projects] = await Promise.all([
      attempt(() => request('subjects.list', {})),
      attempt(() => request('projects.list', {})),
    ]);
    this.list = list ?? this.list;
    this.projects = projects ?? this.projects;
    this.loaded = true;
  }

  async loadNouns(): Promise<void> {
    this.nouns = (await attempt(() => request('subjects.nouns', {}))) ?? this.nouns;
  }

  async create(input: Input<'subjects.create'>): Promise<Subject | undefined> {
    return this.#adopt(await attempt(() => request('subjects.create', input)));
  }

  async createSample(): Promise<Subject | undefined> {
    return this.#adopt(await attempt(() => request('subjects.createSample', {})));
  }

  async update(input: Input<'subjects.update'>): Promise<boolean> {
    const subject = await attempt(() => request('subjects.update', input));
    if (subject) this.#put(subject);
    return subject !== undefined;
  }

  async remove(subject: Subject): Promise<void> {
    const removed = await attempt(() => request('subjects.remove', { id: subject.id }));
    if (!removed) return;
    this.#drop(subject.id);
    toasts.undoable(texts.common.removed(subject.name), removed.undo);
  }

  async createProject(name: string): Promise<Project | undefined> {
    return this.#reload(await attempt(() => request('projects.create', { name })));
  }

  async renameProject(id: number, name: string): Promise<void> {
    await this.#reload(await attempt(() => request('projects.rename', { id, name })));
  }

  async removeProject(project: Project): Promise<void> {
    const removed = await attempt(() => request('projects.remove', { id: project.id }));
    if (!removed) return;
    toasts.undoable(texts.common.removed(project.name), removed.undo);
    await this.load();
  }

  async #reload<T>(outcome: T): Promise<T> {
    await this.load();
    return outcome;
  }

  #adopt(subject: Subject | undefined): Subject | undefined {
    if (!subject) return undefined;
    this.#put(subject);
    this.choose(subject.id);
    return subject;
  }

  #put(subject: Subject): void {
    const known = this.list.some(({ id }) => id === subject.id);
    this.list = known
      ? this.list.map((other) => (other.id === subject.id ? subject : other))
      : [subject, ...this.list];
  }

  #drop(id: number): void {
    this.list = this.list.filter((subject) => subject.id !== id);
  }
}

export const subjects = new Subjects();
