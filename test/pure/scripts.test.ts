import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

it('every script of package.json runs a file that is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const run = Object.values(scripts).flatMap((line) =>
    [...line.matchAll(/node ((?:src-main|test)\/\S+)/g)].map(([, file]) => String(file)),
  );
  expect(run.length).toBeGreaterThan(5);
  expect(run.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/studio.md', 'docs/command-line.md'])(
  '%s links to files that are there',
  (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => String(link));
    const away = links.filter((link) => !existsSync(path.resolve(root, path.dirname(page), link)));
    expect(away).toEqual([]);
  },
);

it('the page of dependencies has a row for every one, and none too many', () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => String(name));
  expect(rows.sort()).toEqual(Object.keys(dependencies).sort());
});
