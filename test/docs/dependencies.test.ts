import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/server-process.ts';

const read = (file: string) => readFile(join(ROOT, file), 'utf8');

describe('docs/dependencies.md', () => {
  it.each([
    ['Needed', 'dependencies'],
    ['Optional', 'optionalDependencies'],
  ])('lists under "%s" what package.json names in %s, no more and no less', async (heading, field) => {
    const [, section = ''] = (await read('docs/dependencies.md')).split(`## ${heading}\n`);
    const table = section.split('\n## ')[0] ?? '';
    const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    const manifest = JSON.parse(await read('package.json')) as Record<string, Record<string, string>>;
    expect(listed.length).toBeGreaterThan(0);
    expect(listed).toEqual(Object.keys(manifest[field] ?? {}).sort());
  });
});
