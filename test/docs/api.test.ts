import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/server-process.ts';

/** Paths of the routers, as they are written in the code. */
async function pathsInCode(folder: string): Promise<string[]> {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  const texts = await Promise.all(
    files.filter((file) => file.endsWith('.ts')).map((file) => readFile(join(ROOT, folder, file), 'utf8')),
  );
  const paths = texts.flatMap((text) =>
    [...text.matchAll(/'(\/[a-z][^'\s]*)'/g)].map(([, path = '']) => path),
  );
  return [...new Set(paths)].filter(
    (path) => path.startsWith('/api/') || path.startsWith('/health') || path === '/metrics',
  );
}

describe('docs/api.md', () => {
  it('names every route of /api/v2 and of operation', async () => {
    const text = await readFile(join(ROOT, 'docs/api.md'), 'utf8');
    const paths = await pathsInCode('src/http');
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !text.includes(path))).toEqual([]);
  });

  it('names none that is not there', async () => {
    const text = await readFile(join(ROOT, 'docs/api.md'), 'utf8');
    const paths = new Set(await pathsInCode('src/http'));
    const named = [...text.matchAll(/`(?:GET|POST|PUT|DELETE) (\/api\/v2[^`]*)`/g)].map(
      ([, path = '']) => path,
    );
    const below = (path: string) => /\/causal\/(events|links)\//.test(path);
    expect(named.filter((path) => !paths.has(path) && !below(path))).toEqual([]);
  });
});
