import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/threat-model.md', root), 'utf8');

it('the threat model names tests and commands that exist', () => {
  const files = [...text.matchAll(/`(test\/[\w/.-]+)`/g)].map(([, path = '']) => path);
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const commands = [...text.matchAll(/`npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  expect(commands).toContain('test:soak');
  expect(commands.filter((name) => !(name in scripts))).toEqual([]);
});

it('each claim of it has a test', () => {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:-|defended|what)/.test(line))
    .slice(5);
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.filter((row) => !row.includes('`test/'))).toEqual([]);
});
